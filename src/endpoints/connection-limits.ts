import type { Metrics } from '../lib/metrics.ts'

/** How many connections may be open. */
export interface ConnectionLimitsOptions {
  readonly total: number
  readonly perAddress: number
  readonly metrics: Metrics
}

/** Counts open connections, in all and by remote address, so that no pod can take the descriptors of the others. */
export class ConnectionLimits {
  readonly #options: ConnectionLimitsOptions
  readonly #byAddress = new Map<string, number>()
  #open = 0

  constructor(options: ConnectionLimitsOptions) {
    this.#options = options
  }

  /** Connections that were admitted and not released yet. */
  get open(): number {
    return this.#open
  }

  /** True if there is room; then `release` must follow exactly once. A refusal is counted. */
  admit(address: string): boolean {
    const { total, perAddress, metrics } = this.#options
    const count = this.#byAddress.get(address) ?? 0
    if (this.#open >= total || count >= perAddress) {
      metrics.connectionsRefused.inc({ limit: this.#open >= total ? 'total' : 'address' })
      return false
    }
    this.#byAddress.set(address, count + 1)
    metrics.connections.set(++this.#open)
    return true
  }

  release(address: string): void {
    const count = this.#byAddress.get(address)! - 1
    if (count === 0) this.#byAddress.delete(address)
    else this.#byAddress.set(address, count)
    this.#options.metrics.connections.set(--this.#open)
  }
}
