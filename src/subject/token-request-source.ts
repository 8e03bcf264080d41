import type { KubernetesClient } from '../kubernetes/client.ts'
import { isMissingRight } from '../kubernetes/is-missing-right.ts'
import { createToken, type TokenRequest } from '../kubernetes/token-request.ts'
import type { Clock } from '../lib/clock.ts'
import { MetadatadError } from '../lib/errors.ts'
import type { Secret } from '../lib/secret.ts'
import { sleep } from '../lib/sleep.ts'
import { checkSubjectToken } from './check-subject-token.ts'
import { subjectError } from './subject-error.ts'
import type { SubjectTokens } from './subject-tokens.ts'

/** What a source of requested tokens works with. */
export interface TokenRequestSourceOptions {
  readonly client: KubernetesClient
  readonly clock: Clock
}

/**
 * An API server that is busy, or one of several, may not have seen yet that the pod was bound to this node: the admission policy of
 * `manifests/` then refuses what it allows a moment (20 ms) later, and a refusal is remembered for seconds.
 */
const SECOND_LOOK_MS = 300

/** Tokens that the API server signs for the daemon, each bound to its pod: needs `create serviceaccounts/token`. */
export function tokenRequestSource(options: TokenRequestSourceOptions): SubjectTokens {
  const { client, clock } = options

  async function request(wanted: TokenRequest, signal: AbortSignal): Promise<Secret> {
    try {
      return (await createToken(client, wanted, signal)).token
    } catch (error) {
      if (!(error instanceof MetadatadError && error.code === 'KUBERNETES_FORBIDDEN')) throw error
      if (isMissingRight(error)) throw error
      await sleep(clock, SECOND_LOOK_MS, signal)
      if (signal.aborted) throw error
      return (await createToken(client, wanted, signal)).token
    }
  }

  return {
    async get(wanted, signal) {
      const { pod, audience, expirationSeconds } = wanted
      if (pod.serviceAccountName === '') {
        throw subjectError(
          'SUBJECT_TOKEN_REFUSED',
          'pod has no service account',
          'A pod with no service account has no cloud identity: static pods have none.',
        )
      }
      try {
        const { namespace, serviceAccountName: serviceAccount } = pod
        const token = await request({ namespace, serviceAccount, audience, expirationSeconds, pod }, signal)
        return checkSubjectToken(token.reveal(), wanted, clock.now())
      } catch (error) {
        throw subjectErrorOf(error)
      }
    },
  }
}

function subjectErrorOf(thrown: unknown): unknown {
  if (!(thrown instanceof MetadatadError)) return thrown
  const cause = thrown
  switch (thrown.code) {
    case 'KUBERNETES_FORBIDDEN':
      return subjectError(
        'SUBJECT_TOKEN_REFUSED',
        'the api server refused to create a service account token',
        'The Kubernetes API server does not let the metadata daemon create a token of this pod\'s service account. Ask the operator of the cluster to look for the reason in the daemon\'s log: it needs the right "create serviceaccounts/token", and an admission policy that allows the audience.',
        { cause },
      )
    // The name is gone, or somebody else's by now.
    case 'KUBERNETES_NOT_FOUND':
    case 'KUBERNETES_CONFLICT':
      return subjectError(
        'SUBJECT_TOKEN_POD_GONE',
        'pod or service account is gone or was replaced',
        'This pod or its service account no longer exists in the Kubernetes API.',
        { cause },
      )
    case 'KUBERNETES_INVALID':
      if (thrown.retryable) break
      return subjectError(
        'SUBJECT_TOKEN_REFUSED',
        'the request for a service account token is not valid',
        "The Kubernetes API server does not accept the audience or the life time that is configured for this pod's service account tokens.",
        { cause },
      )
    case 'SUBJECT_TOKEN_INVALID':
    case 'SUBJECT_TOKEN_UNAVAILABLE':
      return thrown
  }
  return subjectError(
    'SUBJECT_TOKEN_UNAVAILABLE',
    'no service account token from the api server',
    "The Kubernetes API server did not give out a token of this pod's service account. Try again.",
    { cause, retryAfterMs: thrown.retryAfterMs },
  )
}
