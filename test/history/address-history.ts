/** Who owned one address, according to the API server itself, from step to step. */
export class AddressHistory {
  readonly #owners = new Set<string>()
  /** The steps at which the owners changed, newest last, with the sole owner from then on. */
  #changes: { step: number; sole: string | undefined }[] = [{ step: 0, sole: undefined }]

  own(identity: string, step: number): void {
    this.#owners.add(identity)
    this.#note(step)
  }

  disown(identity: string, step: number): void {
    this.#owners.delete(identity)
    this.#note(step)
  }

  /** Was `identity` the only owner at any moment from step `from` to now? */
  wasSole(identity: string, from: number): boolean {
    for (let i = this.#changes.length - 1; i >= 0; i--) {
      const { step, sole } = this.#changes[i]!
      if (sole === identity) return true
      if (step <= from) return false
    }
    return false
  }

  /** Forgets what was before step `step`: no request that old is under way any more. */
  forget(step: number): void {
    const first = this.#changes.findLastIndex((change) => change.step <= step)
    if (first > 0) this.#changes = this.#changes.slice(first)
  }

  #note(step: number): void {
    const sole = this.#owners.size === 1 ? [...this.#owners][0] : undefined
    this.#changes.push({ step, sole })
  }
}
