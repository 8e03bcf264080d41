import { asError } from '../../lib/as-error.ts'
import type { Answer } from '../answer.ts'
import { failureKind, retryHeaders } from '../failure-kind.ts'
import { isoSeconds } from '../iso-seconds.ts'
import { type AwsRoute, ec2Page, ec2Text } from './ec2-answer.ts'

/**
 * A failure in EC2's terms. A role that is there but can't be had is a 200 whose `Code` is not `Success`: of all that may
 * stand here it is the only one whose text Go and Rust print and botocore logs; of a 404 SDKs tell no more than the number.
 * Where there is no role at all, 404 sends them on to their next source of credentials.
 *
 * @param now milliseconds since the epoch
 */
export function awsErrorAnswer(route: AwsRoute, thrown: unknown, now: number): Answer {
  const error = asError(thrown)
  const kind = failureKind(error)
  if (kind === 'transient') {
    return ec2Page(route, 503, 'Service Unavailable', error.publicMessage, retryHeaders(error))
  }
  if (kind === 'refused' && route === 'credentials') {
    const denied = error.code === 'EXCHANGE_REFUSED' || error.code === 'IDENTITY_REFUSED'
    const body = {
      Code: denied ? 'AssumeRoleUnauthorizedAccess' : 'Failed',
      Message: error.publicMessage,
      LastUpdated: isoSeconds(now),
    }
    return ec2Text(route, 200, JSON.stringify(body, null, 2))
  }
  return ec2Page(route, 404, 'Not Found', error.publicMessage)
}
