import {
  type CryptoKey,
  createLocalJWKSet,
  errors,
  type JSONWebKeySet,
  type JWSHeaderParameters,
  type LocalJWKSet,
} from 'jose'
import { type Dispatcher, request } from 'undici'
import type { Clock } from '../lib/clock.ts'
import { deadlineIn } from '../lib/deadline.ts'
import { AssertionError } from './assertion-error.ts'

/** What {@link IssuerKeys} is made of. */
export interface IssuerKeysOptions {
  readonly clock: Clock
  /** Trusts the issuers' certificates, and bounds the size of an answer. */
  readonly dispatcher: Dispatcher
  /** Called for every key set asked for. */
  readonly onFetch: () => void
}

const FETCH_MS = 5_000

/** The public keys of token issuers, found by OpenID Connect Discovery 1.0 and kept until a token names a key not among them. */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions
  readonly #sets = new Map<string, LocalJWKSet>()
  readonly #flights = new Map<string, Promise<LocalJWKSet>>()

  constructor(options: IssuerKeysOptions) {
    this.#options = options
  }

  /**
   * The issuer's key that a token's header names.
   *
   * @throws AssertionError `unreachable` or `documents`: the issuer can't be asked, or answers nonsense
   * @throws Error the key is malformed
   * @throws errors.JWKSNoMatchingKey not among the keys that the issuer shows now
   */
  async find(issuer: string, header: JWSHeaderParameters): Promise<CryptoKey> {
    // A flight that began before this call may not see the newest key: after one more miss there is a fetch of our own.
    const sources = [() => this.#sets.get(issuer), () => this.#flights.get(issuer), () => this.#fetch(issuer)]
    for (const source of sources) {
      const set = await source()
      const key = await set?.(header).catch((error: unknown) => {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      })
      if (key) return key
    }
    throw new errors.JWKSNoMatchingKey()
  }

  #fetch(issuer: string): Promise<LocalJWKSet> {
    const current = this.#flights.get(issuer)
    if (current !== undefined) return current
    const flight = this.#keysOf(issuer)
      .then((set) => {
        this.#sets.set(issuer, set)
        return set
      })
      .finally(() => this.#flights.delete(issuer))
    this.#flights.set(issuer, flight)
    return flight
  }

  async #keysOf(issuer: string): Promise<LocalJWKSet> {
    using deadline = deadlineIn(this.#options.clock, FETCH_MS)
    const discoveryUrl = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    const discovery = (await this.#get(discoveryUrl, deadline.signal)) as {
      issuer?: unknown
      jwks_uri?: unknown
    } | null
    if (discovery?.issuer !== issuer) throw unusable('the discovery document is of another issuer')
    this.#options.onFetch()
    const keys = await this.#get(String(discovery.jwks_uri), deadline.signal)
    try {
      return createLocalJWKSet(keys as JSONWebKeySet)
    } catch {
      throw unusable('malformed key set')
    }
  }

  async #get(url: string, signal: AbortSignal): Promise<unknown> {
    if (!url.startsWith('https://')) throw unusable('keys are fetched over TLS only')
    const { status, text } = await this.#request(url, signal)
    if (status >= 500) throw new AssertionError('unreachable', `the issuer answers status ${status}`)
    if (status !== 200) throw unusable(`status ${status}`)
    try {
      return JSON.parse(text)
    } catch {
      throw unusable('not JSON')
    }
  }

  async #request(url: string, signal: AbortSignal): Promise<{ status: number; text: string }> {
    try {
      const { statusCode, body } = await request(url, { dispatcher: this.#options.dispatcher, signal })
      return { status: statusCode, text: await body.text() }
    } catch {
      throw new AssertionError('unreachable', 'the issuer can not be reached')
    }
  }
}

function unusable(message: string): AssertionError {
  return new AssertionError('documents', message)
}
