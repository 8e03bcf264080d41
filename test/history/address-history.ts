/** Who owned one address, according to the API server itself, from step to step. */
export class AddressHistory<Owner> {
  readonly #owners = new Set<Owner>()
  /** The steps at which the owners changed, newest last, with the sole owner from then on. */
  #changes: { step: number; sole: Owner | undefined }[] = [{ step: 0, sole: undefined }]

  own(owner: Owner, step: number): void {
    this.#owners.add(owner)
    this.#note(step)
  }

  disown(owner: Owner, step: number): void {
    this.#owners.delete(owner)
    this.#note(step)
  }

  /** Was an owner whom `accepts` takes the only one at any moment from step `from` to now? */
  hadSole(accepts: (owner: Owner) => boolean, from: number): boolean {
    for (let i = this.#changes.length - 1; i >= 0; i--) {
      const { step, sole } = this.#changes[i]!
      if (sole !== undefined && accepts(sole)) return true
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
