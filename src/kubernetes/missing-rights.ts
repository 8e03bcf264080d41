import type { Clock } from '../lib/clock.ts'
import type { MetadatadError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { KubernetesRequest } from './client.ts'
import { isMissingRight } from './is-missing-right.ts'
import { RIGHTS, type Right } from './rights.ts'

/** A right that is refused and given in turn is told of no more often than this. */
const REPEAT_MS = 60_000

type Call = Pick<KubernetesRequest, 'verb' | 'resource'>

/** Keeps account of the rights that the API server refuses: see {@link MissingRights.refused}. */
export class MissingRights {
  readonly #missing = new Map<string, Right>()
  readonly #toldAt = new Map<string, number>()
  readonly #options: { readonly clock: Clock; readonly log: Log; readonly metrics: Metrics }

  constructor(options: { readonly clock: Clock; readonly log: Log; readonly metrics: Metrics }) {
    this.#options = options
  }

  /** Those whose last use was refused. */
  list(): readonly Right[] {
    return [...this.#missing.values()]
  }

  /** A call failed. If it was for want of a right, says so: in the log once, and by a metric until the right works again. */
  refused({ verb, resource }: Call, err: MetadatadError): void {
    // The API server looks for what it was asked for once it knows that it may be told.
    if (err.code === 'KUBERNETES_NOT_FOUND' || err.code === 'KUBERNETES_CONFLICT') {
      this.worked({ verb, resource })
      return
    }
    const key = `${verb} ${resource}`
    if (!isMissingRight(err) || this.#missing.has(key)) return
    const right = RIGHTS.find((it) => it.verb === verb && it.resource === resource)
    if (right === undefined) return
    const { clock, log, metrics } = this.#options
    this.#missing.set(key, right)
    metrics.missingRights.set({ verb, resource }, 1)
    const age = clock.now() - (this.#toldAt.get(key) ?? Number.NEGATIVE_INFINITY)
    if (age >= 0 && age < REPEAT_MS) return
    this.#toldAt.set(key, clock.now())
    log.error({ ...right, err }, 'a right on the kubernetes api is missing')
  }

  /** A call succeeded. */
  worked({ verb, resource }: Call): void {
    if (this.#missing.size === 0 || !this.#missing.delete(`${verb} ${resource}`)) return
    this.#options.metrics.missingRights.set({ verb, resource }, 0)
    this.#options.log.info({ verb, resource }, 'the missing right works now')
  }
}
