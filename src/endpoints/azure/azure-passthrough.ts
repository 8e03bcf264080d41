import { answer } from '../answer.ts'
import { Passthrough, type PassthroughOptions } from '../passthrough.ts'
import { unusableUpstream } from '../unusable-upstream.ts'
import { imdsError } from './imds-answer.ts'

/** Values of the node's real instance metadata. Of the pod's query only `api-version` and `format` go along. */
export function createAzurePassthrough(options: PassthroughOptions): Passthrough {
  return new Passthrough(options, {
    deadlineMs: 900,
    slashIgnored: true,
    unavailable: imdsError(
      'passthrough',
      503,
      'service_unavailable',
      'The instance metadata service behind this one cannot be reached. Try again.',
      ['Retry-After', '1'],
    ),
    async ask(path, query, send) {
      const asked = new URLSearchParams(query)
      const kept = new URLSearchParams()
      const version = asked.get('api-version')
      if (version !== null && /^\d{4}-\d\d-\d\d$/.test(version)) kept.set('api-version', version)
      if (asked.get('format')?.toLowerCase() === 'text') kept.set('format', 'text')
      const value = await send({ method: 'GET', target: `${path}?${kept}`, headers: { Metadata: 'true' } })
      switch (value.status) {
        case 200: {
          const type = kept.has('format') ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8'
          return answer('passthrough', 200, type, value.body, ['Server', 'IMDS'])
        }
        case 400:
          return imdsError(
            'passthrough',
            400,
            'invalid_request',
            'Is api-version right, and format=text given for a leaf?',
          )
        case 404:
          return imdsError('passthrough', 404, 'not_found', 'Not found')
        default:
          throw unusableUpstream('upstream status is unexpected', String(value.status))
      }
    },
  })
}
