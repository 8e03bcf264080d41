/** Which credentials a daemon had when, by what it logs of each as it obtains it. */
export class ObtainedCredentials {
  readonly #logged: readonly Record<string, unknown>[]
  /** The number of the line that says so, by digest. */
  readonly #lines = new Map<string, number>()
  #read = 0

  /** @param logged every line that the daemon has logged so far */
  constructor(logged: readonly Record<string, unknown>[]) {
    this.#logged = logged
  }

  /** A moment, for `had`. */
  now(): number {
    return this.#logged.length
  }

  /** Did the daemon have the credential at that moment? */
  had(digest: string, moment: number): boolean {
    for (; this.#read < this.#logged.length; this.#read++) {
      const line = this.#logged[this.#read]!
      if (line.msg === 'credential obtained') this.#lines.set(String(line.digest), this.#read)
    }
    return (this.#lines.get(digest) ?? Number.POSITIVE_INFINITY) < moment
  }
}
