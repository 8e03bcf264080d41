import type { Dispatcher } from 'undici'
import type { AwsIdentity } from '../identity/aws-identity.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Secret } from '../lib/secret.ts'
import { awsRoleSession } from './aws-answers.ts'
import type { AwsCredential } from './aws-credential.ts'
import { awsStsError } from './aws-errors.ts'
import { parseAwsFailure } from './aws-failure.ts'
import { awsSessionName } from './aws-session-name.ts'
import { type AwsStsEndpointOptions, awsStsEndpoint } from './aws-sts-endpoint.ts'
import { createAwsThrottling } from './aws-throttling.ts'
import { createCloudRequest } from './cloud-request.ts'
import type { CredentialSpec, ObtainContext } from './credential-spec.ts'
import { endpointUrl } from './endpoint-url.ts'
import { issuerOf } from './issuer-of.ts'
import { serviceAccountSubject } from './service-account-subject.ts'
import { withRenewal } from './with-renewal.ts'

/** Everything the exchange needs to know and to use. */
export interface AwsStsOptions extends AwsStsEndpointOptions {
  /** 900 to 43,200, and no more than the role allows. */
  readonly sessionSeconds: number
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Uniform in [0, 1), for the jitter. */
  readonly random?: (() => number) | undefined
}

/** AWS's Security Token Service, as pods need it. Nothing is asked of AWS until `obtain`. */
export interface AwsSts {
  /** A session of the identity's role, which bears the name of the pod that it is obtained for. */
  roleSession(identity: AwsIdentity): CredentialSpec<AwsCredential>
}

const MINUTE_MS = 60_000
/** New Java clients ask for sessions of more than 90 minutes again an hour before their end. */
const LONG_SESSION_SECONDS = 7_200

/**
 * A client of AssumeRoleWithWebIdentity, which is authorized by the subject token alone: the request is not signed.
 * A session names its pod, so pods do not share one.
 */
export function createAwsSts(options: AwsStsOptions): AwsSts {
  const { sessionSeconds, region, log } = options
  const request = createCloudRequest(options)
  const throttling = createAwsThrottling(options)

  function assume(
    identity: AwsIdentity,
    context: ObtainContext,
    subjectToken: Secret,
  ): Promise<AwsCredential> {
    const { roleArn, accountId, roleName } = identity
    const sessionName = awsSessionName(context.holder)
    const gate = throttling(accountId)
    return request({
      call: 'aws_sts',
      service: 'AWS STS',
      url: endpointUrl(awsStsEndpoint(options, identity.globalEndpoint), '/'),
      body: {
        form: {
          Action: 'AssumeRoleWithWebIdentity',
          Version: '2011-06-15',
          RoleArn: roleArn,
          RoleSessionName: sessionName,
          DurationSeconds: String(sessionSeconds),
          WebIdentityToken: subjectToken,
        },
      },
      signal: context.signal,
      gate,
      classify(answer) {
        if (answer.status === 200) {
          gate.passed(answer.sentAt)
          return awsRoleSession(answer, { accountId, roleName, sessionName, sessionSeconds })
        }
        const subject = serviceAccountSubject(context.holder)
        const issuer = issuerOf(subjectToken)
        const error = awsStsError(parseAwsFailure(answer), { ...identity, region, subject, issuer })
        if (error.code === 'EXCHANGE_THROTTLED') gate.throttled(answer.sentAt, answer.retryAfterMs)
        else gate.passed(answer.sentAt)
        throw error
      },
    })
  }

  return {
    roleSession(identity) {
      const { roleArn, audience, tokenExpirationSeconds: expirationSeconds, globalEndpoint } = identity
      return {
        key: JSON.stringify([
          'aws-role-session',
          roleArn,
          audience,
          expirationSeconds ?? null,
          globalEndpoint,
        ]),
        kind: 'aws-role-session',
        identity: roleArn,
        shareBy: 'pod',
        minimumRemainingMs: (sessionSeconds >= LONG_SESSION_SECONDS ? 65 : 30) * MINUTE_MS,
        obtain: (context) =>
          withRenewal(
            (renew) => context.subjectToken(audience, { renew, expirationSeconds }),
            (subjectToken) => assume(identity, context, subjectToken),
            () =>
              log.info(
                { namespace: context.holder.namespace, pod: context.holder.name },
                'service account token refused, taking a new one',
              ),
          ),
      }
    },
  }
}
