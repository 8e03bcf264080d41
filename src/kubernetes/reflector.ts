import { asError } from '../lib/as-error.ts'
import { fullJitter } from '../lib/backoff.ts'
import type { MetadatadError } from '../lib/errors.ts'
import { sleep } from '../lib/sleep.ts'
import type { KubernetesClient, KubernetesRequest } from './client.ts'
import { createFreshRead } from './fresh-read.ts'
import { isMissingRight } from './is-missing-right.ts'
import { listPages } from './list-pages.ts'
import { METADATA_LIST_ONLY, METADATA_ONLY } from './metadata-only.ts'
import { createObjectSink, type ObjectSinkOptions } from './object-sink.ts'
import { kubernetesError, statusError } from './status-error.ts'
import { createSyncGate } from './sync-gate.ts'
import { STALLED, watchSession } from './watch-session.ts'

/** Bookmarks come about once a minute: after this long without one the connection is dead. */
const STALL_AFTER_MS = 90_000
/** A server that streams a list has no reason to pause; one that ignores the wish never says that it is done. */
const LIST_SILENCE_MS = 30_000
const BACKOFF = { baseMs: 500, maxMs: 30_000 }
const MAX_RETRY_AFTER_MS = 60_000
/** Of the time after which a silent watch is given up: one that hears bookmarks was confirmed within less. */
const QUIET = 0.8
/** A watch that ends sooner than this was no success, however politely the server ended it. */
const HEALTHY_AFTER_MS = 1_000

/** What to reflect, and where to. */
export interface ReflectorOptions<T> extends ObjectSinkOptions<T> {
  readonly client: KubernetesClient
  /** The collection's path: `/api/v1/pods`. */
  readonly path: string
  /** `spec.nodeName=NODE` */
  readonly fieldSelector?: string
  /** True for meta/v1 PartialObjectMetadata instead of whole objects. */
  readonly metadataOnly?: boolean
  /**
   * Where lists or watches are forbidden: brings the store up to date by other means, after each refusal and so every half a minute
   * at least. Never called while a list or a watch is under way, whose word could be newer.
   */
  readonly ifForbidden?: (signal: AbortSignal) => Promise<void>
  /** Milliseconds without a line after which a watch is given up; 90 s unless said otherwise. */
  readonly stallAfterMs?: number
  /** Uniform in [0, 1); for tests. */
  readonly random?: () => number
}

/** Keeps a store equal to what the API server has. */
export interface Reflector {
  /** Begins; once. Never fails: what goes wrong is tried again, and shows in `lastError`. */
  start(): void
  /** Ends; the store gets no call once the promise is fulfilled. */
  stop(): Promise<void>
  /** Has there ever been a complete list, or what stands in for it? */
  readonly synced: boolean
  /**
   * Resolves once `synced`.
   * @throws MetadatadError `lastError` or `KUBERNETES_UNAVAILABLE`, when the signal is aborted before
   */
  whenSynced(signal: AbortSignal): Promise<void>
  /**
   * The last moment (milliseconds since the epoch) at which the API server's word was known to be in the store: when the
   * last complete list was asked for (or `ifForbidden` was called), or the last event of a watch arrived, or a
   * bookmark with a new version. 0 before the first.
   */
  readonly confirmedAt: number
  /** `confirmedAt`, or a later moment at which the API server could have told of changes: it took a watch, and could read its store. */
  readonly reachedAt: number
  /** Why there is no watch now; undefined while there is one. */
  readonly lastError: MetadatadError | undefined
  /** Sets the metric `watchStaleness`; to be called before metrics are read. */
  reportStaleness(): void
}

/**
 * Lists and watches one resource for ever: a streaming list where the server has them, else pages; then a watch from
 * that moment on. A list removes from the store what the server no longer has, once it is complete and not before.
 *
 * While there is no connection the store keeps what it had: `confirmedAt` says how old that is.
 */
export function createReflector<T>(options: ReflectorOptions<T>): Reflector {
  const { client, resource, path, store, clock, log, metrics, stallAfterMs = STALL_AFTER_MS } = options
  const random = options.random ?? Math.random
  const sink = createObjectSink(options)
  const gate = createSyncGate()
  const freshRead = createFreshRead({ client, clock, log, request: () => request('list', { limit: '1' }) })
  const stopping = new AbortController()
  const startedAt = clock.now()
  let running: Promise<void> | undefined
  let lastError: MetadatadError | undefined
  let confirmedAt = 0
  let quietAt = 0
  /** Where the next watch goes on; undefined if everything must be listed again. */
  let resourceVersion: string | undefined
  let streamingLists = true
  /** When the server accepted the watch of this round. */
  let openedAt: number | undefined

  function request(verb: 'list' | 'watch', query: Readonly<Record<string, string>>): KubernetesRequest {
    const accept = verb === 'list' ? METADATA_LIST_ONLY : METADATA_ONLY
    return {
      verb,
      resource,
      path,
      query: { ...(options.fieldSelector ? { fieldSelector: options.fieldSelector } : {}), ...query },
      ...(options.metadataOnly ? { accept } : {}),
      signal: stopping.signal,
    }
  }

  function listed(seen: Set<string>, version: string, askedAt: number): void {
    for (const key of [...store.keys()]) if (!seen.has(key)) store.remove(key)
    resourceVersion = version
    confirmedAt = Math.max(confirmedAt, askedAt)
    lastError = undefined
    log.debug({ resource, objects: seen.size }, 'list is complete')
    seen.clear()
    gate.open()
  }

  async function listAll(): Promise<void> {
    const askedAt = clock.now()
    const seen = new Set<string>()
    let version = ''
    for await (const page of listPages({ client, request: request('list', {}), clock })) {
      if (stopping.signal.aborted) return
      for (const item of page.items) {
        const key = sink.upsert(item)
        if (key !== undefined) seen.add(key)
      }
      version = page.resourceVersion
    }
    listed(seen, version, askedAt)
  }

  /** One watch; with no resourceVersion to start from, a streaming list first. Returns when the server ends it. */
  async function watch(): Promise<void> {
    const askedAt = clock.now()
    const seen = new Set<string>()
    const call = request('watch', {
      watch: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(300 + Math.floor(random() * 300)),
      ...(resourceVersion === undefined
        ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }
        : { resourceVersion }),
    })
    const silenceMs = () =>
      resourceVersion === undefined ? Math.min(LIST_SILENCE_MS, stallAfterMs) : stallAfterMs
    for await (const event of watchSession({ client, request: call, silenceMs, clock })) {
      if (stopping.signal.aborted) return
      if (event.type === 'OPEN') {
        openedAt = clock.now()
        if (resourceVersion !== undefined) {
          lastError = undefined
          if (openedAt - reachedAt() > QUIET * stallAfterMs) void noticeReached(openedAt)
        }
        continue
      }
      if (event.type === 'ERROR') throw statusError(call, event.code, event.status)
      if (resourceVersion === undefined) {
        if (event.type !== 'BOOKMARK') applyTo(seen, event.type, event.object)
        else if (!event.initialEventsEnd)
          throw kubernetesError('KUBERNETES_INVALID', call, 'no streaming list')
        else if (event.resourceVersion !== undefined) listed(seen, event.resourceVersion, askedAt)
        continue
      }
      if (event.type === 'BOOKMARK') {
        if (isOlder(event.resourceVersion, resourceVersion)) {
          // The server's data were restored from a backup: what was seen since then never happened.
          throw kubernetesError('KUBERNETES_EXPIRED', call, 'the resource version went back')
        }
        if ((event.resourceVersion ?? resourceVersion) === resourceVersion) {
          // The API server may have lost its store, and repeats what it saw last.
          void noticeReached(clock.now())
          continue
        }
      } else {
        applyTo(seen, event.type, event.object)
      }
      resourceVersion = event.resourceVersion ?? resourceVersion
      confirmedAt = clock.now()
    }
    if (resourceVersion === undefined) {
      throw kubernetesError('KUBERNETES_UNAVAILABLE', call, 'the streaming list ended before it was complete')
    }
  }

  /** A server may have nothing to say, not even a bookmark, to who is up to date: it is not out of reach for that. */
  async function noticeReached(at: number): Promise<void> {
    if (await freshRead()) quietAt = Math.max(quietAt, at)
  }

  const reachedAt = () => Math.max(confirmedAt, quietAt)

  function applyTo(seen: Set<string>, type: 'ADDED' | 'MODIFIED' | 'DELETED', object: unknown): void {
    const key = type === 'DELETED' ? sink.remove(object) : sink.upsert(object)
    if (key === undefined || resourceVersion !== undefined) return
    if (type === 'DELETED') seen.delete(key)
    else seen.add(key)
  }

  /** Lists if need be, and watches; the error is undefined if the server ended the watch. */
  async function round(): Promise<MetadatadError | undefined> {
    openedAt = undefined
    try {
      if (resourceVersion === undefined && !streamingLists) await listAll()
      await watch()
      return undefined
    } catch (thrown) {
      return asError(thrown)
    }
  }

  /** Has somebody else bring the store up to date; whether that worked shows in `confirmedAt`. */
  async function doWithout(ifForbidden: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const askedAt = clock.now()
    try {
      await ifForbidden(stopping.signal)
    } catch (err) {
      log.debug({ resource, err }, 'objects not read one by one')
      return
    }
    if (stopping.signal.aborted) return
    confirmedAt = Math.max(confirmedAt, askedAt)
    gate.open()
  }

  /** Did the server take a streaming list for nonsense, or for an ordinary watch? */
  function hasNoStreamingLists(error: MetadatadError): boolean {
    if (resourceVersion !== undefined || !streamingLists) return false
    return error.code === 'KUBERNETES_INVALID' || (error.providerCode === STALLED && openedAt !== undefined)
  }

  async function run(): Promise<void> {
    let failures = 0
    while (!stopping.signal.aborted) {
      const error = await round()
      if (stopping.signal.aborted) return
      const healthy = openedAt !== undefined && clock.now() - openedAt >= HEALTHY_AFTER_MS
      if (error && hasNoStreamingLists(error)) {
        streamingLists = false
        log.info({ resource, err: error }, 'no streaming lists here, using pages')
        continue
      }
      metrics.watchRestarts.inc({ resource, reason: restartReason(error) })
      if (healthy) failures = 0
      if (error) {
        lastError = error
        // Only after a broken connection is it certain that going on from here misses nothing.
        if (error.code !== 'KUBERNETES_UNAVAILABLE') resourceVersion = undefined
      }
      if (!error && healthy) continue
      const forbidden = error !== undefined && isMissingRight(error)
      if (forbidden && options.ifForbidden) await doWithout(options.ifForbidden)
      const waitMs = Math.max(
        fullJitter(failures, { ...BACKOFF, random }),
        Math.min(error?.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS),
      )
      failures += 1
      // Of a missing right the client tells, once.
      if (error && !forbidden) log.warn({ resource, err: error, waitMs }, 'watch failed')
      await sleep(clock, waitMs, stopping.signal)
    }
  }

  return {
    start() {
      running ??= run()
    },
    async stop() {
      stopping.abort()
      gate.close()
      await running
    },
    get synced() {
      return gate.isOpen
    },
    whenSynced: (signal) =>
      gate.wait(
        signal,
        () =>
          lastError ?? kubernetesError('KUBERNETES_UNAVAILABLE', { verb: 'list', resource }, 'not done yet'),
      ),
    get confirmedAt() {
      return confirmedAt
    },
    get reachedAt() {
      return reachedAt()
    },
    get lastError() {
      return lastError
    },
    reportStaleness() {
      metrics.watchStaleness.set({ resource }, Math.max(0, clock.now() - (reachedAt() || startedAt)) / 1000)
    },
  }
}

function restartReason(error: MetadatadError | undefined): string {
  if (!error) return 'closed'
  if (error.code === 'KUBERNETES_EXPIRED') return 'expired'
  return error.providerCode === STALLED ? 'stalled' : 'error'
}

/** Resource versions of one server are decimal numbers that grow (KEP-5504); any other kind is not compared. */
function isOlder(version: string | undefined, than: string): boolean {
  const decimal = /^\d{1,20}$/
  return (
    version !== undefined && decimal.test(version) && decimal.test(than) && BigInt(version) < BigInt(than)
  )
}
