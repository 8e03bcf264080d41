import { createHash } from 'node:crypto'
import { inspect } from 'node:util'

/**
 * A token in transit. Printing, logging or serialising it by any ordinary means shows a short digest; only
 * `reveal()` gives the value, so that every place that handles one in the clear can be found by name.
 */
export class Secret {
  readonly #value: string
  #digest: string | undefined

  constructor(value: string) {
    this.#value = value
  }

  /** The token itself. Call it only where it goes on the wire. */
  reveal(): string {
    return this.#value
  }

  /** `sha256:` and the first 12 hex digits of the token's SHA-256: enough to compare two, useless to an attacker. */
  get digest(): string {
    this.#digest ??= `sha256:${createHash('sha256').update(this.#value).digest('hex').slice(0, 12)}`
    return this.#digest
  }

  toString(): string {
    return this.digest
  }

  toJSON(): string {
    return this.digest
  }

  [inspect.custom](): string {
    return `Secret(${this.digest})`
  }
}
