import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { Metrics } from '../../lib/metrics.ts'
import { type Anchor, checkAnchor, findAnchor } from './anchor.ts'
import { isEmptyCgroup } from './cgroup-processes.ts'
import { Gate } from './gate.ts'
import type { HostView } from './host-view.ts'
import { PacedRun } from './paced-run.ts'
import { readLocalAddresses, readTcpTables } from './read-namespace.ts'
import type { TcpTables } from './tcp-tables.ts'

/** The network namespace of one pod, as the kernel showed it last. */
export interface PodNamespace {
  readonly uid: string
  /**
   * The sockets in it, read after this call and checked to be those of the pod's namespace still. Undefined if that can't
   * be said this time: it is no longer there, or holds more than is read.
   */
  read(): Promise<TcpTables | undefined>
}

/** How to make {@link PodNamespaces}. */
export interface PodNamespacesOptions {
  readonly host: HostView
  /** Is the pod one of the host's network? Its processes, which may be many, are not looked at. */
  readonly isHosts: (uid: string) => boolean
  readonly clock: Clock
  readonly metrics: Metrics
  readonly log: Log
}

interface Pace {
  readonly minMs: number
  readonly maxMs: number
}

/**
 * Invariant 8: between the starts of two reads of one pod, and of two looks at all pods. What takes long is paid for with a
 * longer pause, but no longer than AWS clients are patient.
 */
const READ_PACE: Pace = { minMs: 50, maxMs: 150 }
const SCAN_PACE: Pace = { minMs: 20, maxMs: 200 }
const PAUSE_PER_MS = 5
/**
 * So many pods are read at a time. Any pod may open sockets by the ten thousand, and is then read for hundreds of milliseconds: of
 * those whose tables were longer than this (characters), one at a time, so that there is always a place for the others.
 */
const READS_AT_A_TIME = 2
const LARGE_AT_A_TIME = 1
const LARGE = 512 * 1024
const SCANNED_AT_A_TIME = 4

class Entry implements PodNamespace {
  readonly uid: string
  readonly directory: string
  readonly read: () => Promise<TcpTables | undefined>
  anchor: Anchor | undefined
  /** Undefined for a namespace with more addresses than are kept: it is taken to hold every address. */
  addresses: ReadonlySet<string> | undefined = new Set()
  /** Its own process was seen in two namespaces. Which of them is the pod's can't be told any more. */
  moved = false
  /** No process of the pod is left. */
  empty = false
  /** Its tables were long when they were read last. */
  large = false

  constructor(uid: string, directory: string, read: (entry: Entry) => PacedRun<TcpTables | undefined>) {
    this.uid = uid
    this.directory = directory
    const reads = read(this)
    this.read = () => reads.next()
  }

  holds(address: string): boolean {
    return this.anchor !== undefined && (this.addresses?.has(address) ?? true)
  }
}

/**
 * The network namespaces of the node's pods, found from the kubelet's cgroups and the host's `/proc`, without the API
 * server. What is known is as old as the last {@link scan}; every read of sockets checks its own namespace again.
 */
export class PodNamespaces {
  readonly #options: PodNamespacesOptions
  readonly #entries = new Map<string, Entry>()
  readonly #gate = new Gate(READS_AT_A_TIME)
  readonly #largeGate = new Gate(LARGE_AT_A_TIME)
  readonly #scans: PacedRun<void>

  constructor(options: PodNamespacesOptions) {
    this.#options = options
    this.#scans = new PacedRun({
      run: () => this.#timed('namespaces', () => this.#scan()).then(() => {}),
      gapMs: gapOf(SCAN_PACE),
      clock: options.clock,
    })
  }

  /**
   * Looks at every pod anew; shared by all who ask before it begins.
   *
   * @throws Error if the host can't be read for a reason other than that a pod has ended
   */
  scan(): Promise<void> {
    return this.#scans.next()
  }

  /** The pods whose namespace had the address at the last scan. */
  holders(address: string): readonly PodNamespace[] {
    return [...this.#entries.values()].filter((entry) => entry.holds(address))
  }

  /**
   * Was the pod's own cgroup there at the last scan? The kubelet makes it before the sandbox and removes it after, while a
   * sandboxed runtime may keep its processes elsewhere.
   */
  hasCgroup(uid: string): boolean {
    return this.#entries.has(uid)
  }

  /** Had the pod no process at the last scan? */
  isGone(uid: string): boolean {
    return this.#entries.get(uid)?.empty ?? true
  }

  /** Was the pod's namespace known at the last scan, and without the address? */
  lacks(uid: string, address: string): boolean {
    const entry = this.#entries.get(uid)
    return entry?.anchor !== undefined && !entry.holds(address)
  }

  async #scan(): Promise<string> {
    const directories = await this.#options.host.podDirectories()
    for (const [uid, entry] of this.#entries) {
      if (directories.get(uid) !== entry.directory) this.#entries.delete(uid)
    }
    for (const [uid, directory] of directories) {
      if (!this.#entries.has(uid)) this.#entries.set(uid, this.#create(uid, directory))
    }
    const left = this.#entries.values()
    const work = async () => {
      for (const entry of left) await this.#update(entry)
    }
    await Promise.all(Array.from({ length: SCANNED_AT_A_TIME }, work))
    return 'ok'
  }

  #create(uid: string, directory: string): Entry {
    const { clock } = this.#options
    return new Entry(
      uid,
      directory,
      (entry) =>
        new PacedRun({
          run: () => this.#read(entry),
          gapMs: gapOf(READ_PACE),
          enter: () => this.#enter(entry),
          clock,
        }),
    )
  }

  async #enter(entry: Entry): Promise<() => void> {
    if (!entry.large) return this.#gate.enter()
    const leaveLarge = await this.#largeGate.enter()
    const leave = await this.#gate.enter()
    return () => {
      leave()
      leaveLarge()
    }
  }

  async #update(entry: Entry): Promise<void> {
    const { host, isHosts } = this.#options
    if (isHosts(entry.uid)) {
      entry.anchor = undefined
      return
    }
    // Twice, for a process that ends in between: its pod may have another.
    for (let attempt = 0; attempt < 2 && !entry.moved; attempt++) {
      const anchor = entry.anchor ?? (await findAnchor(host, entry.directory))
      if (anchor === undefined) break
      const addresses = await readLocalAddresses(host, anchor.pid)
      if (!(await this.#stands(entry, anchor))) continue
      entry.addresses = addresses
      entry.anchor = anchor
      entry.empty = false
      return
    }
    entry.empty = entry.anchor === undefined && (await isEmptyCgroup(host.files, entry.directory))
  }

  async #read(entry: Entry): Promise<TcpTables | undefined> {
    let tables: TcpTables | undefined
    await this.#timed('connections', async () => {
      const { anchor } = entry
      if (anchor === undefined) return 'gone'
      const read = await readTcpTables(this.#options.host, anchor.pid)
      entry.large = read === undefined || read.length > LARGE
      if (!(await this.#stands(entry, anchor))) return 'gone'
      tables = read
      return read === undefined ? 'too_long' : 'ok'
    })
    return tables
  }

  /** Is what was just read by way of the anchor's process of the pod's namespace? If not, the anchor is given up. */
  async #stands(entry: Entry, anchor: Anchor): Promise<boolean> {
    const state = await checkAnchor(this.#options.host, anchor)
    if (state === 'same') return !entry.moved
    if (state === 'moved' && !entry.moved) {
      entry.moved = true
      this.#options.log.warn({ podUid: entry.uid }, 'pod moved to another network namespace')
    }
    if (entry.moved || entry.anchor === anchor) entry.anchor = undefined
    return false
  }

  async #timed(read: 'connections' | 'namespaces', run: () => Promise<string>): Promise<void> {
    const { clock, metrics } = this.#options
    const startedAt = clock.now()
    let outcome = 'error'
    try {
      outcome = await run()
    } finally {
      metrics.proofReads.inc({ read, outcome })
      metrics.proofReadSeconds.observe({ read }, Math.max(0, clock.now() - startedAt) / 1000)
    }
  }
}

function gapOf({ minMs, maxMs }: Pace): (tookMs: number) => number {
  return (tookMs) => Math.min(maxMs, Math.max(minMs, tookMs * PAUSE_PER_MS))
}
