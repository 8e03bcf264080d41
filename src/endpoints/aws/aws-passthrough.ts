import { Passthrough, type PassthroughOptions } from '../passthrough.ts'
import { unusableUpstream } from '../unusable-upstream.ts'
import { ec2Page, ec2Text } from './ec2-answer.ts'

/** Spent on one value. */
const TTL_SECONDS = '60'

/** Values of the node's real instance metadata, over IMDSv2: a new session for each. */
export function createAwsPassthrough(options: PassthroughOptions): Passthrough {
  return new Passthrough(options, {
    // Both calls must fit into what the most hurried SDK waits.
    deadlineMs: 900,
    slashIgnored: true,
    unavailable: ec2Page(
      'passthrough',
      503,
      'Service Unavailable',
      'The instance metadata service behind this one cannot be reached. Try again.',
      ['Retry-After', '1'],
    ),
    async ask(path, _query, send) {
      const session = await send({
        method: 'PUT',
        target: '/latest/api/token',
        headers: { 'X-aws-ec2-metadata-token-ttl-seconds': TTL_SECONDS },
      })
      const token = session.body.toString('latin1')
      if (session.status !== 200 || !/^[\x21-\x7e]{1,256}$/.test(token)) {
        throw unusableUpstream('upstream gave no session token', String(session.status))
      }
      const value = await send({
        method: 'GET',
        target: path,
        headers: { 'X-aws-ec2-metadata-token': token },
      })
      if (value.status === 404) return ec2Page('passthrough', 404, 'Not Found')
      if (value.status !== 200) throw unusableUpstream('upstream status is unexpected', String(value.status))
      return ec2Text('passthrough', 200, value.body)
    },
  })
}
