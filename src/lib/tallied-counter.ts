import { Counter } from 'prom-client'

interface Tally extends Counter.Internal {
  pending: number
  readonly child: Counter.Internal
}

/**
 * A counter whose children (`labels()`) count in plain numbers until somebody reads the metric. prom-client's own hash
 * their labels at every increment, which costs a warm answer more than finding its credential does.
 */
export class TalliedCounter<T extends string> extends Counter<T> {
  readonly #tallies = new Map<string, Tally>()

  override labels(...labels: unknown[]): Counter.Internal {
    const key = JSON.stringify(labels)
    let tally = this.#tallies.get(key)
    if (tally === undefined) {
      tally = newTally(super.labels(...(labels as string[])))
      this.#tallies.set(key, tally)
    }
    return tally
  }

  override get(): ReturnType<Counter<T>['get']> {
    for (const tally of this.#tallies.values()) {
      if (tally.pending === 0) continue
      tally.child.inc(tally.pending)
      tally.pending = 0
    }
    return super.get()
  }
}

function newTally(child: Counter.Internal): Tally {
  return {
    child,
    pending: 0,
    inc(value = 1) {
      this.pending += value
    },
  }
}
