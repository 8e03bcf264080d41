import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import { fields, text } from './json-fields.ts'
import type { ReflectorStore } from './reflector-store.ts'

const LOG_INTERVAL_MS = 60_000

/** Where raw objects go and what they become. */
export interface ObjectSinkOptions<T> {
  readonly resource: string
  /** Total; undefined for an object that can not be read. */
  readonly decode: (object: unknown) => T | undefined
  readonly store: ReflectorStore<T>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** Puts raw objects into a store. */
export interface ObjectSink {
  /** @returns the object's key, if it is in the store now */
  upsert(object: unknown): string | undefined
  /** @returns the object's key, if it has one */
  remove(object: unknown): string | undefined
}

/**
 * Decodes objects on their way into a store. One that can not be read is counted, logged at most once a minute, and
 * *removed*: what was known of it is no longer true, and somebody would be identified by it.
 */
export function createObjectSink<T>(options: ObjectSinkOptions<T>): ObjectSink {
  const { resource, decode, store, clock, log, metrics } = options
  let loggedAt = Number.NEGATIVE_INFINITY
  let unlogged = 0

  function remove(object: unknown): string | undefined {
    const key = rawKey(object)
    if (key !== undefined) store.remove(key)
    return key
  }

  return {
    upsert(object) {
      const decoded = decode(object)
      if (decoded !== undefined) {
        store.upsert(decoded)
        return rawKey(object)
      }
      const key = remove(object)
      metrics.watchUndecodable.inc({ resource })
      unlogged += 1
      if (clock.now() - loggedAt >= LOG_INTERVAL_MS) {
        log.warn({ resource, key, count: unlogged }, 'object can not be read and is left out')
        loggedAt = clock.now()
        unlogged = 0
      }
      return undefined
    },
    remove,
  }
}

/** The object's key as `objectKey` makes it; the bare name of an object that has no namespace. */
function rawKey(object: unknown): string | undefined {
  const metadata = fields(fields(object).metadata)
  const name = text(metadata.name)
  const namespace = text(metadata.namespace)
  return name === undefined || namespace === undefined ? name : `${namespace}/${name}`
}
