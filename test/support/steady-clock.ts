import type { Clock, Timer } from '../../src/lib/clock.ts'
import { FakeClock } from './fake-clock.ts'

const TICK_MS = 20

/**
 * A clock that goes on with this process, a tick at a time, from the machine's own time on. While a machine that is busy with
 * other things lets the process stand still, no time passes: what has to happen within some time has had that time to run.
 */
export class SteadyClock implements Clock {
  readonly #time = new FakeClock(Date.now())

  constructor() {
    this.#goOn()
  }

  now(): number {
    return this.#time.now()
  }

  after(ms: number, fn: () => void): Timer {
    return this.#time.after(ms, fn)
  }

  #goOn(): void {
    const tick = async () => {
      await this.#time.advance(TICK_MS)
      this.#goOn()
    }
    setTimeout(() => void tick(), TICK_MS).unref()
  }
}
