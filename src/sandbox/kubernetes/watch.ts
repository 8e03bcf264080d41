import type { ServerResponse } from 'node:http'
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Change, Collection } from './collection.ts'
import type { FieldSelector } from './field-selector.ts'
import type { KubernetesObject } from './kubernetes-object.ts'
import type { ListOptions } from './list-options.ts'
import type { Representation } from './representation.ts'
import { StatusError } from './status-error.ts'

/** Lines a watch may hold back before it is ended as too slow. */
const MAX_WAITING = 50_000
/** Bytes that may wait for a client that does not read before it is cut off. */
const MAX_UNSENT_BYTES = 64 << 20
const DEFAULT_TIMEOUT_SECONDS = 1_800

/** What the scenario wants of every watch. */
export interface WatchScenario {
  readonly frozen: boolean
  /** Milliseconds that an event waits. */
  delayOf(event: { type: string; resource: string; key: string }): number
}

/** What to watch, and for whom. */
export interface WatchRequest<T extends KubernetesObject> {
  readonly collection: Collection<T>
  readonly namespace: string | undefined
  readonly selector: FieldSelector<T>
  readonly options: ListOptions
  readonly representation: Representation
  readonly lagMs: number
  readonly response: ServerResponse
  readonly clock: Clock
  readonly scenario: WatchScenario
  /** Called once, when the watch is over for whatever reason. */
  readonly onEnd: () => void
}

interface WaitingLine {
  readonly resourceVersion: number
  readonly line: string
  due: boolean
}

/** One open watch: a response that gets one JSON line an event (Kubernetes API concepts, "Efficient detection of changes"). */
export class Watch<T extends KubernetesObject = KubernetesObject> {
  readonly #request: WatchRequest<T>
  /** Held-back lines by object, oldest first: what concerns one object is never reordered. */
  readonly #waiting = new Map<string, WaitingLine[]>()
  readonly #timers = new Set<Timer>()
  #waitingCount = 0
  #sentVersion = 0
  #listening: (() => void) | undefined
  #timeout: Timer | undefined
  #timedOut = false
  #ended = false

  constructor(request: WatchRequest<T>) {
    this.#request = request
  }

  /** Answers, sends what the client has to catch up with, and follows the changes from then on. */
  start(): void {
    const { collection, options, response, clock, lagMs } = this.#request
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    response.once('close', () => this.#finish())
    const seconds = options.timeoutSeconds || DEFAULT_TIMEOUT_SECONDS
    this.#timeout = clock.after(seconds * 1000, () => {
      this.#timedOut = true
      if (!this.#request.scenario.frozen) this.#endInTime()
    })

    let from = options.resourceVersion ?? 0
    if (from === 0 || options.sendInitialEvents) {
      const view = collection.viewBefore(lagMs)
      const lines: string[] = []
      for (const [, object] of view.scan({
        indexedValue: this.#request.selector.indexedValue,
        namespace: this.#request.namespace,
      })) {
        if (this.#matches(object))
          lines.push(this.#line('ADDED', this.#request.representation.single(object)))
      }
      from = view.resourceVersion
      if (options.sendInitialEvents && options.allowWatchBookmarks) {
        lines.push(this.#bookmarkLine(from, { 'k8s.io/initial-events-end': 'true' }))
      }
      if (lines.length > 0) this.#send('', from, lines.join(''), 0)
    }
    const missed = collection.since(from)
    if (!missed) {
      this.expire(`too old resource version: ${from}`)
      return
    }
    this.#sentVersion = Math.max(this.#sentVersion, from)
    for (const change of missed) this.#offer(change)
    this.#listening = collection.listen((change) => this.#offer(change))
  }

  /** Sends a bookmark, if the client wants them and there is a version that it surely has reached. */
  bookmark(): void {
    if (!this.#request.options.allowWatchBookmarks || this.#request.scenario.frozen || this.#ended) return
    let reached = this.#request.collection.viewBefore(0).resourceVersion
    for (const lines of this.#waiting.values()) reached = Math.min(reached, lines[0]!.resourceVersion - 1)
    if (reached >= this.#sentVersion) this.#write(this.#bookmarkLine(reached), reached)
  }

  /** Sends what was held back only because the watches were frozen. */
  thaw(): void {
    const due: WaitingLine[] = []
    for (const key of [...this.#waiting.keys()]) due.push(...this.#takeDue(key))
    due.sort((a, b) => a.resourceVersion - b.resourceVersion)
    for (const { line, resourceVersion } of due) this.#write(line, resourceVersion)
    if (this.#timedOut) this.#endInTime()
  }

  /** Ends the watch as the server does when the history the client needs is gone. */
  expire(message: string): void {
    this.#send('', Number.POSITIVE_INFINITY, this.#line('ERROR', StatusError.expired(message).status), 0)
    if (this.#request.scenario.frozen) this.#timedOut = true
    else this.end()
  }

  /** Ends the response after the last line. */
  end(): void {
    this.#finish()
    this.#request.response.end()
  }

  #endInTime(): void {
    this.bookmark()
    this.end()
  }

  #finish(): void {
    if (this.#ended) return
    this.#ended = true
    this.#listening?.()
    this.#timeout?.cancel()
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#waiting.clear()
    this.#request.onEnd()
  }

  #matches(object: T | undefined): object is T {
    const { namespace, selector } = this.#request
    if (!object || (namespace !== undefined && object.metadata.namespace !== namespace)) return false
    return selector.matches(object)
  }

  #offer({ key, object, previous, resourceVersion }: Change<T>): void {
    if (resourceVersion <= (this.#request.options.resourceVersion ?? 0)) return
    const { representation, scenario, collection } = this.#request
    const before = this.#matches(previous)
    let type: 'ADDED' | 'MODIFIED' | 'DELETED'
    let shown: T
    if (this.#matches(object)) {
      type = before ? 'MODIFIED' : 'ADDED'
      shown = object
    } else if (before) {
      // Gone, or no longer selected: the last selected state under the version of the change.
      type = 'DELETED'
      shown = { ...previous, metadata: { ...previous.metadata, resourceVersion: String(resourceVersion) } }
    } else return
    const delay = scenario.delayOf({ type, resource: collection.resource.name, key })
    this.#send(key, resourceVersion, this.#line(type, representation.single(shown)), delay)
  }

  #send(key: string, resourceVersion: number, line: string, delay: number): void {
    if (this.#ended) return
    const lines = this.#waiting.get(key)
    if (delay <= 0 && !lines && !this.#request.scenario.frozen) {
      this.#write(line, resourceVersion)
      return
    }
    if (++this.#waitingCount > MAX_WAITING) {
      this.#request.response.destroy()
      return
    }
    const waiting = { resourceVersion, line, due: delay <= 0 }
    if (lines) lines.push(waiting)
    else this.#waiting.set(key, [waiting])
    if (waiting.due) return
    const timer = this.#request.clock.after(delay, () => {
      this.#timers.delete(timer)
      waiting.due = true
      if (this.#request.scenario.frozen) return
      for (const { line: dueLine, resourceVersion: version } of this.#takeDue(key))
        this.#write(dueLine, version)
    })
    this.#timers.add(timer)
  }

  #takeDue(key: string): WaitingLine[] {
    const lines = this.#waiting.get(key) ?? []
    const firstNotDue = lines.findIndex(({ due }) => !due)
    const due = lines.splice(0, firstNotDue < 0 ? lines.length : firstNotDue)
    if (lines.length === 0) this.#waiting.delete(key)
    this.#waitingCount -= due.length
    return due
  }

  #write(line: string, resourceVersion: number): void {
    const { response } = this.#request
    if (this.#ended || response.destroyed) return
    this.#sentVersion = Math.max(this.#sentVersion, resourceVersion)
    response.write(line)
    if (response.writableLength > MAX_UNSENT_BYTES) response.destroy()
  }

  #bookmarkLine(resourceVersion: number, annotations?: Readonly<Record<string, string>>): string {
    const { representation, collection } = this.#request
    const metadata = { resourceVersion: String(resourceVersion), ...(annotations && { annotations }) }
    return this.#line('BOOKMARK', representation.bookmark(collection.resource, metadata))
  }

  #line(type: string, object: unknown): string {
    return `${JSON.stringify({ type, object })}\n`
  }
}
