import { Passthrough, type PassthroughOptions } from '../passthrough.ts'
import { unusableUpstream } from '../unusable-upstream.ts'
import { googleAnswer, googleError, TEXT } from './google-answer.ts'

/** Values of the node's real metadata server. Of the pod's query only `alt` goes along, and nothing can be waited for. */
export function createGooglePassthrough(options: PassthroughOptions): Passthrough {
  return new Passthrough(options, {
    deadlineMs: 2000,
    slashIgnored: false,
    unavailable: googleError(
      'passthrough',
      503,
      'The metadata server behind this one cannot be reached. Try again.',
      ['Retry-After', '1'],
    ),
    async ask(path, query, send) {
      const parameters = new URLSearchParams(query)
      if (parameters.has('wait_for_change')) return googleError('passthrough', 400, 'Invalid Request')
      const alt = parameters.get('alt')
      const target = alt === 'json' || alt === 'text' ? `${path}?alt=${alt}` : path
      const value = await send({ method: 'GET', target, headers: { 'Metadata-Flavor': 'Google' } })
      if (value.headers['metadata-flavor'] !== 'Google') {
        throw unusableUpstream('upstream is no metadata server')
      }
      // A redirect is a directory, whose listing nobody allowed.
      if (value.status === 404 || value.status === 301) return googleError('passthrough', 404, 'Not Found')
      if (value.status !== 200) throw unusableUpstream('upstream status is unexpected', String(value.status))
      const type = value.headers['content-type']
      return googleAnswer('passthrough', 200, typeof type === 'string' ? type : TEXT, value.body)
    },
  })
}
