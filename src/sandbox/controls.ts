import type { InjectedAnswer, ServiceControls } from './sandbox-types.ts'

/** The scenario controls of a fake service. Several services may share one. */
export class Controls implements ServiceControls {
  latencyMs = 0
  intercept: ((call: string, body: unknown) => InjectedAnswer | 'hang' | 'reset' | undefined) | undefined
  readonly #calls = new Map<string, number>()

  get calls(): ReadonlyMap<string, number> {
    return this.#calls
  }

  resetCalls(): void {
    this.#calls.clear()
  }

  /** Notes one received call. Names come from a fixed set, so that the map can't grow. */
  count(call: string): void {
    this.#calls.set(call, (this.#calls.get(call) ?? 0) + 1)
  }
}
