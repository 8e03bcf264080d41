import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The keys of a cluster's service-account tokens: RSA, so that tokens are RS256, which every cloud takes. */
export class ServiceAccountKeys {
  readonly #directory: string
  #count = 0
  #retired = 0

  constructor(directory: string) {
    this.#directory = directory
  }

  /** What the API server signs with. */
  get signingKeyFile(): string {
    return this.#file(this.#count, 'key')
  }

  /** What it accepts, and shows as its key set. */
  get publicKeyFiles(): readonly string[] {
    return Array.from({ length: this.#count - this.#retired }, (_, i) =>
      this.#file(this.#retired + i + 1, 'pub'),
    )
  }

  /** Makes a new signing key; the old ones stay accepted until `retire`. */
  async rotate(): Promise<void> {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    const next = this.#count + 1
    await writeFile(this.#file(next, 'key'), privateKey, { mode: 0o600 })
    await writeFile(this.#file(next, 'pub'), publicKey)
    this.#count = next
  }

  /** All but the newest are no longer accepted. */
  retire(): void {
    this.#retired = this.#count - 1
  }

  #file(number: number, kind: 'key' | 'pub'): string {
    return join(this.#directory, `service-accounts-${number}.${kind}`)
  }
}
