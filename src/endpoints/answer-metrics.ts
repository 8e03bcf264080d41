import type { Metrics } from '../lib/metrics.ts'

/** Counts answers. Looking a labelled counter up costs more than an answer, so each is looked up once. */
export class AnswerMetrics {
  readonly #metrics: Metrics
  readonly #protocols = new Map<string, ProtocolMetrics>()

  constructor(metrics: Metrics) {
    this.#metrics = metrics
  }

  /** @param seconds undefined leaves the answer out of the latency metric */
  count(protocol: string, route: string, status: number, seconds: number | undefined): void {
    let known = this.#protocols.get(protocol)
    if (known === undefined) {
      known = { seconds: this.#metrics.answerSeconds.labels(protocol), answers: new Map() }
      this.#protocols.set(protocol, known)
    }
    let statuses = known.answers.get(route)
    if (statuses === undefined) {
      statuses = new Map()
      known.answers.set(route, statuses)
    }
    let counter = statuses.get(status)
    if (counter === undefined) {
      counter = this.#metrics.answers.labels(protocol, route, String(status))
      statuses.set(status, counter)
    }
    counter.inc()
    if (seconds !== undefined) known.seconds.observe(seconds)
  }
}

interface ProtocolMetrics {
  readonly seconds: ReturnType<Metrics['answerSeconds']['labels']>
  readonly answers: Map<string, Map<number, ReturnType<Metrics['answers']['labels']>>>
}
