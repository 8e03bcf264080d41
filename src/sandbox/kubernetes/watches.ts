import type { IncomingMessage } from 'node:http'
import type { Clock, Timer } from '../../lib/clock.ts'
import type { SandboxKubernetes } from '../sandbox-types.ts'
import type { KubernetesObject } from './kubernetes-object.ts'
import { Watch, type WatchRequest, type WatchScenario } from './watch.ts'

/** All open watches, and what the scenario does to them. */
export class Watches implements WatchScenario {
  delayMs: SandboxKubernetes['watchDelayMs'] = 0
  readonly #clock: Clock
  readonly #open = new Map<Watch<never>, IncomingMessage>()
  #frozen = false
  #bookmarkIntervalMs = 60_000
  #bookmarkTimer: Timer | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get frozen(): boolean {
    return this.#frozen
  }

  set frozen(value: boolean) {
    this.#frozen = value
    if (!value) for (const watch of [...this.#open.keys()]) watch.thaw()
  }

  get bookmarkIntervalMs(): number {
    return this.#bookmarkIntervalMs
  }

  set bookmarkIntervalMs(value: number) {
    this.#bookmarkIntervalMs = value
    this.#scheduleBookmarks()
  }

  delayOf(event: { type: string; resource: string; key: string }): number {
    return typeof this.delayMs === 'number' ? this.delayMs : this.delayMs(event)
  }

  /** Opens a watch on `request`'s connection. */
  open<T extends KubernetesObject>(
    incoming: IncomingMessage,
    request: Omit<WatchRequest<T>, 'clock' | 'scenario' | 'onEnd'>,
  ): void {
    const watch = new Watch<T>({
      ...request,
      clock: this.#clock,
      scenario: this,
      onEnd: () => {
        this.#open.delete(watch as unknown as Watch<never>)
        if (this.#open.size === 0) this.#bookmarkTimer?.cancel()
      },
    })
    this.#open.set(watch as unknown as Watch<never>, incoming)
    if (this.#open.size === 1) this.#scheduleBookmarks()
    watch.start()
  }

  /** Ends every watch: after its current line, or by `reset` on its connection. */
  drop(reset?: (incoming: IncomingMessage) => void): void {
    for (const [watch, incoming] of [...this.#open]) {
      if (reset) reset(incoming)
      else watch.end()
    }
  }

  /** Ends every watch with a 410 event. */
  expire(): void {
    for (const watch of [...this.#open.keys()]) watch.expire('the history was compacted')
  }

  #scheduleBookmarks(): void {
    this.#bookmarkTimer?.cancel()
    if (this.#open.size === 0) return
    this.#bookmarkTimer = this.#clock.after(this.#bookmarkIntervalMs, () => {
      for (const watch of [...this.#open.keys()]) watch.bookmark()
      this.#scheduleBookmarks()
    })
  }
}
