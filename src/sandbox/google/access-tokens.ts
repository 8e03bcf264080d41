import { randomBytes } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import { Issued } from '../issued.ts'

/** What an access token stands for. */
export interface AccessToken {
  /** Every spelling of its principal in an IAM policy, the principal itself first. */
  readonly members: readonly string[]
  /** What people call the principal: a service account's e-mail, or the first member of a federated one. */
  readonly identity: string
  readonly scopes: readonly string[]
  readonly podUid: string | undefined
  readonly quotaProject: string | undefined
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** The access tokens given out and not yet ended: opaque to clients, so that only this table knows what one means. */
export class AccessTokens {
  readonly #issued: Issued<AccessToken>

  /** @param options.limit tokens remembered at most; the oldest is forgotten, and so dead, beyond it */
  constructor(options: { readonly clock: Clock; readonly limit?: number }) {
    this.#issued = new Issued(options)
  }

  /** Gives out a token: `ya29.` and random text, the form of Google's own. */
  issue(meaning: AccessToken): string {
    const token = `ya29.${randomBytes(96).toString('base64url')}`
    this.#issued.add(token, meaning)
    return token
  }

  /** What a token stands for; undefined if it was never given out, is forgotten, or has ended. */
  find(token: string): AccessToken | undefined {
    return this.#issued.find(token)
  }
}
