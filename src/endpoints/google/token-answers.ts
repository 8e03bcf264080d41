import type { Caller } from '../../caller/caller.ts'
import type { Credentials } from '../../credentials/credentials.ts'
import { identityError } from '../../identity/identity-error.ts'
import type { Clock } from '../../lib/clock.ts'
import type { CallerMemo } from '../caller-memo.ts'
import { credentialEnded } from '../credential-ended.ts'
import type { PodRequest } from '../pod-request.ts'
import { remembered } from '../remembered.ts'
import { type GoogleAnswer, googleAnswer, googleError, HTML, JSON_TYPE } from './google-answer.ts'
import type { GoogleCaller, TokenEntry } from './google-callers.ts'
import type { GooglePipeline, TokenCredential } from './google-pipeline.ts'
import { requestedAudience } from './requested-audience.ts'
import { requestedScopes } from './requested-scopes.ts'

/** What token answers are made from. */
export interface TokenAnswersOptions {
  readonly callers: CallerMemo<GoogleCaller>
  readonly credentials: Credentials
  readonly pipeline: GooglePipeline
  readonly clock: Clock
  /** Longest a request is held for its caller and credential together, in milliseconds. */
  readonly holdMs: number
  /** Turns whatever was thrown into an answer. */
  readonly failure: (route: TokenRoute, thrown: unknown) => GoogleAnswer
}

/** The two values that are credentials. */
export type TokenRoute = 'token' | 'identity'

/** The values `token` and `identity` of a service account. */
export class TokenAnswers {
  readonly #options: TokenAnswersOptions
  readonly #wrongAccount = {
    token: googleError('token', 404, 'Not Found'),
    identity: googleError('identity', 404, 'Not Found'),
  }

  constructor(options: TokenAnswersOptions) {
    this.#options = options
  }

  /**
   * At once, without a promise, if the caller is known and the credential there.
   * @param account `default` or an e-mail: another's than the caller's is 404
   */
  answer(route: TokenRoute, account: string, request: PodRequest): GoogleAnswer | Promise<GoogleAnswer> {
    const caller = request.session.current()
    if (caller !== undefined) {
      request.caller = caller
      try {
        const answer = this.#ready(route, account, request.query, caller, request.receivedAt)
        if (answer !== undefined) return answer
      } catch (thrown) {
        return this.#options.failure(route, thrown)
      }
    }
    return this.#wait(route, account, request)
  }

  #ready(
    route: TokenRoute,
    account: string,
    query: string,
    caller: Caller,
    now: number,
  ): GoogleAnswer | undefined {
    const state = this.#options.callers.of(caller)
    if (account !== 'default' && account !== state.identity.email) return this.#wrongAccount[route]
    const entry = this.#entry(route, query, state)
    const credential = this.#options.credentials.peek(entry.spec, state.holder)
    return credential && render(route, entry, credential, now)
  }

  async #wait(route: TokenRoute, account: string, request: PodRequest): Promise<GoogleAnswer> {
    const { callers, credentials, clock, holdMs } = this.#options
    using deadline = request.hold(clock, holdMs)
    try {
      const caller = request.session.current() ?? (await request.session.identify(deadline))
      request.caller = caller
      const state = callers.of(caller)
      if (account !== 'default' && account !== state.identity.email) return this.#wrongAccount[route]
      const entry = this.#entry(route, request.query, state)
      const credential = await credentials.get(entry.spec, state.holder, deadline)
      const answer = render(route, entry, credential, clock.now())
      if (answer === undefined) throw credentialEnded()
      return answer
    } catch (thrown) {
      return this.#options.failure(route, thrown)
    }
  }

  #entry(route: TokenRoute, query: string, state: GoogleCaller): TokenEntry {
    const entries = route === 'token' ? state.accessTokens : state.idTokens
    return remembered(entries, query, () => ({ spec: this.#spec(route, query, state), rendered: undefined }))
  }

  #spec(route: TokenRoute, query: string, { identity }: GoogleCaller): TokenEntry['spec'] {
    const { pipeline } = this.#options
    const parameters = new URLSearchParams(query)
    if (route === 'token') return pipeline.accessToken(identity, requestedScopes(parameters))
    const audience = requestedAudience(parameters)
    if (identity.serviceAccountEmail === undefined) throw noServiceAccount(identity.member)
    return pipeline.idToken(identity, audience)
  }
}

/** Undefined if the credential has less than a second left: Go takes `expires_in` 0 for no token at all. */
function render(
  route: TokenRoute,
  entry: TokenEntry,
  credential: TokenCredential,
  now: number,
): GoogleAnswer | undefined {
  const secondsLeft = Math.floor((credential.expiresAt - now) / 1000)
  if (secondsLeft < 1) return undefined
  const last = entry.rendered
  if (last?.credential === credential && (route === 'identity' || last.secondsLeft === secondsLeft))
    return last.answer
  const token = credential.token.reveal()
  const answer =
    route === 'identity'
      ? googleAnswer(route, 200, HTML, token)
      : googleAnswer(
          route,
          200,
          JSON_TYPE,
          JSON.stringify({ access_token: token, expires_in: secondsLeft, token_type: 'Bearer' }),
        )
  entry.rendered = { credential, secondsLeft, answer }
  return answer
}

function noServiceAccount(member: string) {
  return identityError(
    'IDENTITY_NONE',
    'federated identity has no id tokens',
    'ID tokens need a Google service account: annotate the Kubernetes ServiceAccount of this pod with ' +
      `iam.gke.io/gcp-service-account, and grant ${member} the role roles/iam.workloadIdentityUser on it.`,
  )
}
