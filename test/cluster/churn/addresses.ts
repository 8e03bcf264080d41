/** The addresses of a node's pods: one that is given back is the next to be used again. */
export class Addresses {
  readonly #free: string[]
  readonly #waiting: ((address: string) => void)[] = []

  constructor(free: readonly string[]) {
    this.#free = [...free]
  }

  /** One, as soon as there is one; who waits longest is first. */
  take(): Promise<string> {
    const address = this.#free.pop()
    if (address !== undefined) return Promise.resolve(address)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  giveBack(address: string): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free.push(address)
    else next(address)
  }
}
