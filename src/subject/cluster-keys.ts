import { createLocalJWKSet, type JSONWebKeySet } from 'jose'
import type { KubernetesClient } from '../kubernetes/client.ts'
import { elements, fields, text } from '../kubernetes/json-fields.ts'
import { kubernetesError } from '../kubernetes/status-error.ts'
import { asError } from '../lib/as-error.ts'
import type { Clock } from '../lib/clock.ts'
import { deadlineIn } from '../lib/deadline.ts'
import type { MetadatadError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { withSignal } from '../lib/with-signal.ts'

/** Who signs the cluster's service-account tokens, as of some moment. */
export interface IssuerKeys {
  /** Claim `iss` of the tokens. */
  readonly issuer: string
  readonly keyIds: ReadonlySet<string>
  /** Finds the key of a token, for `jwtVerify`. */
  readonly find: ReturnType<typeof createLocalJWKSet>
  /** When they were asked for, in milliseconds since the epoch. */
  readonly askedAt: number
}

/** What the keys are fetched with. */
export interface ClusterKeysOptions {
  readonly client: KubernetesClient
  readonly clock: Clock
  readonly log: Log
}

const FETCH_MS = 5_000
/** A key that the cluster no longer publishes is good for no longer than this, while the API server can be asked. */
const MAX_AGE_MS = 3_600_000
/** What pods send can't make the daemon ask more often. */
const MIN_GAP_MS = 10_000
const MIN_GAP_AFTER_FAILURE_MS = 1_000

/**
 * The keys of the cluster's issuer, asked of the API server itself and never of the issuer's public URL, which is out of the
 * cluster for many (`/.well-known/openid-configuration` and `/openid/v1/jwks`, allowed to every service account by the
 * ClusterRole `system:service-account-issuer-discovery`). All who wait share one request.
 */
export class ClusterKeys {
  readonly #options: ClusterKeysOptions
  #kept: IssuerKeys | undefined
  #flight: Promise<IssuerKeys> | undefined
  #failure: { readonly error: MetadatadError; readonly at: number } | undefined

  constructor(options: ClusterKeysOptions) {
    this.#options = options
  }

  /**
   * Keys at most an hour old; older ones while the API server can't be asked.
   * @throws MetadatadError `KUBERNETES_*`
   */
  async current(signal: AbortSignal): Promise<IssuerKeys> {
    const kept = this.#kept
    if (kept !== undefined && this.#options.clock.now() - kept.askedAt < MAX_AGE_MS) return kept
    try {
      return await this.#fetch(signal)
    } catch (error) {
      if (kept === undefined) throw error
      return kept
    }
  }

  /** Keys newer than these, if it is time to ask again; else the same. @throws MetadatadError `KUBERNETES_*` */
  async newerThan(keys: IssuerKeys, signal: AbortSignal): Promise<IssuerKeys> {
    if (this.#kept !== undefined && this.#kept !== keys) return this.#kept
    if (this.#options.clock.now() - keys.askedAt < MIN_GAP_MS) return keys
    return await this.#fetch(signal)
  }

  #fetch(signal: AbortSignal): Promise<IssuerKeys> {
    const { clock, log } = this.#options
    const failed = this.#failure
    if (failed !== undefined && clock.now() - failed.at < MIN_GAP_AFTER_FAILURE_MS)
      return Promise.reject(failed.error)
    if (this.#flight === undefined) {
      this.#flight = this.#ask().then(
        (keys) => {
          this.#flight = undefined
          this.#failure = undefined
          this.#kept = keys
          return keys
        },
        (thrown) => {
          const error = asError(thrown)
          this.#flight = undefined
          this.#failure = { error, at: clock.now() }
          log.warn({ err: error }, 'keys of the service account issuer could not be fetched')
          throw error
        },
      )
      // Those who waited may have left by the time that it fails.
      this.#flight.catch(() => {})
    }
    const late = () =>
      kubernetesError('KUBERNETES_UNAVAILABLE', { verb: 'get', resource: 'jwks' }, 'no answer in time')
    return withSignal(this.#flight, signal, late)
  }

  async #ask(): Promise<IssuerKeys> {
    const { client, clock } = this.#options
    using deadline = deadlineIn(clock, FETCH_MS)
    const { signal } = deadline
    const askedAt = clock.now()
    const get = (resource: string, path: string, accept: string) =>
      client.request({ verb: 'get', resource, path, accept, signal })
    const configuration = await get(
      'openid-configuration',
      '/.well-known/openid-configuration',
      'application/json',
    )
    // kube-apiserver answers 406 to those who accept `application/json` alone.
    const keySet = await get('jwks', '/openid/v1/jwks', 'application/jwk-set+json, application/json')
    const issuer = text(fields(configuration).issuer)
    const keyIds = elements(fields(keySet).keys).map((key) => text(fields(key).kid))
    try {
      if (issuer === undefined) throw new Error('the issuer has no name')
      const find = createLocalJWKSet(keySet as JSONWebKeySet)
      return { issuer, keyIds: new Set(keyIds.filter((id) => id !== undefined)), find, askedAt }
    } catch (cause) {
      const call = { verb: 'get', resource: 'jwks' }
      throw kubernetesError('KUBERNETES_INVALID', call, 'no issuer, or no key set', {
        cause,
        retryable: true,
      })
    }
  }
}
