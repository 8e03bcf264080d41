import type { Caller } from '../../caller/caller.ts'
import type { Credentials } from '../../credentials/credentials.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Answer } from '../answer.ts'
import type { CallerMemo } from '../caller-memo.ts'
import { credentialEnded } from '../credential-ended.ts'
import type { PodRequest } from '../pod-request.ts'
import type { AzureCaller } from './azure-callers.ts'
import type { AzureAccessToken } from './azure-pipeline.ts'
import { imdsJson } from './imds-answer.ts'
import { type TokenQuery, tokenQuery } from './token-query.ts'

/** What token answers are made from. */
export interface AzureTokenAnswersOptions {
  readonly callers: CallerMemo<AzureCaller>
  readonly credentials: Credentials
  readonly clock: Clock
  /** Turns whatever was thrown into an answer. */
  readonly failure: (thrown: unknown) => Answer
}

/** Probes wait a second. */
const HOLD_MS = 900

/** `/metadata/identity/oauth2/token`. */
export class AzureTokenAnswers {
  readonly #options: AzureTokenAnswersOptions

  constructor(options: AzureTokenAnswersOptions) {
    this.#options = options
  }

  /** At once, without a promise, if the caller is known and the token there. */
  answer(request: PodRequest): Answer | Promise<Answer> {
    try {
      const caller = request.session.current()
      if (caller === undefined) {
        // What can't be answered anyway is not held.
        tokenQuery(request.query)
        return this.#wait(request)
      }
      request.caller = caller
      return this.#ready(request, caller) ?? this.#wait(request)
    } catch (thrown) {
      return this.#options.failure(thrown)
    }
  }

  #ready(request: PodRequest, caller: Caller): Answer | undefined {
    const { callers, credentials } = this.#options
    const state = callers.of(caller)
    const { query, spec } = state.token(request.query)
    const token = credentials.peek(spec, state.holder)
    return token && render(query, token, request.receivedAt)
  }

  async #wait(request: PodRequest): Promise<Answer> {
    const { callers, credentials, clock } = this.#options
    using deadline = request.hold(clock, HOLD_MS)
    try {
      const caller = request.session.current() ?? (await request.session.identify(deadline))
      request.caller = caller
      const state = callers.of(caller)
      const { query, spec } = state.token(request.query)
      const token = await credentials.get(spec, state.holder, deadline)
      const answer = render(query, token, clock.now())
      if (answer === undefined) throw credentialEnded()
      return answer
    } catch (thrown) {
      return this.#options.failure(thrown)
    }
  }
}

/** Undefined if the token has less than a second left: Python takes `expires_in` 0 for an error. */
function render({ resource, echo }: TokenQuery, token: AzureAccessToken, now: number): Answer | undefined {
  const secondsLeft = Math.floor((token.expiresAt - now) / 1000)
  if (secondsLeft < 1) return undefined
  // All strings. MSAL.NET reads `expires_in` and `expires_on` into one property, and the last of them counts.
  return imdsJson('token', 200, {
    access_token: token.token.reveal(),
    ...echo,
    expires_in: String(secondsLeft),
    expires_on: String(Math.floor(token.expiresAt / 1000)),
    ext_expires_in: String(secondsLeft),
    not_before: String(Math.floor(token.notBefore / 1000)),
    resource,
    token_type: 'Bearer',
  })
}
