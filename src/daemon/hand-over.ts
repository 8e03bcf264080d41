import type { ReadinessCheck } from '../admin/readiness.ts'
import type { MetadataServer } from '../endpoints/metadata-server.ts'
import type { Interception, InterceptState } from '../intercept/interception.ts'
import { asError } from '../lib/as-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { InterceptionReport } from '../lib/interception-report.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import { sleep } from '../lib/sleep.ts'
import { PodListeners } from './pod-listeners.ts'
import { tryThrice } from './try-thrice.ts'

/** What the hand-over is made with. */
export interface HandOverOptions {
  readonly interception: Interception
  readonly server: MetadataServer
  /** Can pods be answered? Traffic is not taken from a daemon that serves before that. */
  readonly ready: () => boolean
  /** Addresses of this node's pods, for the reverse-path rule. */
  readonly podAddresses: () => readonly string[]
  /** How long open connections may be used after `drain` (ms). */
  readonly drainMs: number
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** Who gets new connections, as far as this daemon knows. */
type Role = 'waiting' | 'serving' | 'succeeded'

const NOTHING_READ: InterceptState = {
  generation: undefined,
  ports: new Map(),
  served: new Map(),
  reversePath: false,
  drift: [],
}
/** The kernel forgets after 8 s that a port is served. */
const FORGOTTEN_MS = 8_500
/** For a handshake that began before the kernel was told that a port is served no more. */
const HANDSHAKE_MS = 1_000
const RENEW_MS = 500
const RECONCILE_MS = 2_000
/** A dropped SYN is sent again to the port it was first directed to: after 1, 3, 7 and 15 s (RFC 6298). */
const ACCEPT_AFTER_SUCCESSION_MS = 15_000

/**
 * Takes the traffic of the captured addresses over from the daemon that had it, keeps the rules as they should be, and lets
 * go when a newer daemon takes over. Whoever claimed last has it; one that serves no more can be succeeded at any time.
 */
export class HandOver {
  readonly #options: HandOverOptions
  readonly #listeners: PodListeners
  readonly #stopping = new AbortController()
  #role: Role = 'waiting'
  #generation: number | undefined
  #state: InterceptState | undefined
  #notedAt: number | undefined
  #failure: string | undefined
  #draining = false
  #succeededAt: number | undefined
  #judged: { readonly addresses: string; readonly safe: boolean } | undefined
  #lost = false
  #accepting = true
  #renewed: Promise<unknown> = Promise.resolve()
  #loops: Promise<unknown> | undefined

  constructor(options: HandOverOptions) {
    this.#options = options
    this.#listeners = new PodListeners(options.server, options.interception.captures)
  }

  /** For `/readyz`: a daemon is ready when new connections arrive at it, or at its successor. */
  readonly check: ReadinessCheck = {
    name: 'interception',
    reason: () =>
      this.#failure ??
      (this.#role === 'waiting' ? 'new connections of pods do not arrive here yet' : undefined),
  }

  /** What was last read from the kernel, for an operator. */
  report(): Omit<InterceptionReport, 'mode' | 'selfTest'> {
    const { generation, ports, served, drift } = this.#state ?? NOTHING_READ
    return {
      checkedAt: this.#notedAt,
      claimed: this.#role === 'serving',
      generation,
      ports: Object.fromEntries(ports),
      served: Object.fromEntries([...served].map(([original, some]) => [original, [...some]])),
      drift,
    }
  }

  /**
   * Installs what is missing, listens, and begins to take over.
   * @throws MetadatadError `INTERCEPT_*`, `LISTEN_FAILED`
   */
  async start(): Promise<void> {
    const { interception } = this.#options
    let state = await tryThrice(() => interception.read())
    // One that serves keeps the rules as its own version and configuration want them.
    const wasServed = this.#isServedByAnother(state)
    if (!wasServed) state = await tryThrice(() => interception.install())
    await this.#listeners.open()
    await this.#listeners.inherit(state.ports)
    // Whoever served may be gone, though the kernel does not know yet.
    if (wasServed && !this.#isServedByAnother(state)) state = await tryThrice(() => interception.install())
    this.#note(state)
    await tryThrice(() => this.#renew())
    await this.#tryClaim(state)
    this.#loops = Promise.all([this.#keepServed(), this.#keepInPlace()])
  }

  /**
   * For a daemon that was asked to stop: answers on open connections, each its connection's last, until there are none or
   * the time is over. New ones are accepted for as long as they may still arrive here.
   */
  async drain(): Promise<void> {
    const { server, clock, drainMs } = this.#options
    this.#draining = true
    server.drain()
    // Counted, and not told by the clock, which may be set.
    for (let waitedMs = 0; waitedMs < drainMs; waitedMs += RENEW_MS) {
      await sleep(clock, RENEW_MS)
      if (!this.#mayStopAccepting()) continue
      if (this.#accepting) {
        this.#accepting = false
        // A SYN that the kernel lets through after this would go on being sent to a port that is closed.
        await this.#renewed
        const told = await this.#attempt(() => this.#options.interception.release(this.#listeners.ports))
        await sleep(clock, told ? HANDSHAKE_MS : FORGOTTEN_MS)
        server.stopAccepting()
      }
      if (server.open === 0) break
    }
  }

  /** One that never had the traffic need not wait for what was directed to it. */
  #mayStopAccepting(): boolean {
    if (this.#role === 'waiting') return true
    const { clock, drainMs } = this.#options
    const since = this.#succeededAt
    return (
      since !== undefined && Math.abs(clock.now() - since) >= Math.min(ACCEPT_AFTER_SUCCESSION_MS, drainMs)
    )
  }

  /** Ends the loops. The rules stay: pods reach nothing until somebody serves them again. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loops
  }

  /** Apart from what looks and mends, which may take longer than the kernel waits. */
  async #keepServed(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted && this.#accepting) {
      await this.#attempt(async () => {
        this.#lost = !(await this.#renew(signal))
      })
      await sleep(this.#options.clock, RENEW_MS, signal)
    }
  }

  /** One after the other, and none once this daemon takes no more connections. */
  #renew(signal?: AbortSignal): Promise<boolean> {
    const renewal = this.#renewed.then(
      () => !this.#accepting || this.#options.interception.renew(this.#listeners.ports, signal),
    )
    this.#renewed = renewal.catch(() => {})
    return renewal
  }

  async #keepInPlace(): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#stopping
    let lookedAt = clock.now()
    while (!signal.aborted) {
      if (
        (this.#lost && this.#accepting) ||
        this.#role === 'waiting' ||
        // The clock may be set back, at boot by hours.
        Math.abs(clock.now() - lookedAt) >= RECONCILE_MS
      ) {
        const done = await this.#attempt(() => this.#look(signal))
        if (done) this.#failure = undefined
        lookedAt = clock.now()
      }
      await sleep(clock, RENEW_MS, signal)
    }
  }

  /** False if it failed: logged once, told by the readiness check, tried again by the caller. */
  async #attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      if (this.#stopping.signal.aborted) return false
      const err = asError(error)
      if (this.#failure === undefined) this.#options.log.error({ err }, 'interception could not be kept up')
      this.#failure = err.message
      this.#options.metrics.interceptionIntact.set(0)
      return false
    }
  }

  /** Mends what was changed, and takes over or lets go. */
  async #look(signal: AbortSignal): Promise<void> {
    const { interception } = this.#options
    let state = await interception.read(signal)
    const wasServing = this.#role === 'serving'
    // A port that can be had is nobody's any more, whatever the kernel was last told.
    if (!wasServing && !this.#draining && (await this.#listeners.inherit(state.ports)))
      await this.#renew(signal)
    const lost = state.generation === undefined
    if (wasServing ? !this.#isSucceeded(state) : !this.#draining && !this.#isServedByAnother(state)) {
      state = await this.#mended(state, signal)
    }
    this.#note(state)
    // Whoever had the traffic when the rules were lost has it still.
    if (lost && wasServing) await this.#claim(state)
    else await this.#tryClaim(state)
    if (!this.#listeners.allPrimary && !this.#draining && (await this.#listeners.retryPrimary())) {
      await this.#renew(signal)
      if (this.#role === 'serving') await this.#claim(this.#state!)
    }
  }

  /**
   * What is there after everything was put in place again. Only for the daemon that has the traffic: one of another version
   * or configuration would find the other's rules wrong.
   */
  async #mended(state: InterceptState, signal: AbortSignal): Promise<InterceptState> {
    const { interception, log, metrics } = this.#options
    for (const { what, message } of state.drift) {
      metrics.interceptionDrift.inc({ what })
      log.warn({ what, drift: message }, 'interception was not as it should be')
    }
    const reversePath = await this.#reversePathWanted(signal)
    const asWanted = reversePath === undefined || reversePath === state.reversePath
    if (state.drift.length === 0 && asWanted) return state
    const mended = await interception.install({ reversePath }, signal)
    await this.#renew(signal)
    return mended
  }

  /** Claims what is to be had. */
  async #tryClaim(state: InterceptState): Promise<void> {
    // A table that was lost and written again may have come to the same generation, with the primary ports.
    const mine =
      this.#generation !== undefined &&
      state.generation === this.#generation &&
      [...state.ports].every(([original, port]) => this.#listeners.has(original, port))
    if (mine || state.generation === undefined) return
    if (!this.#isServedByAnother(state)) {
      if (!this.#draining) await this.#claim(state)
    } else if (this.#generation !== undefined) {
      if (this.#role === 'serving') {
        this.#options.log.info({ generation: state.generation }, 'another daemon of this node took over')
      }
      this.#become('succeeded')
    } else if (!this.#draining && this.#options.ready()) {
      await this.#claim(state)
    }
  }

  async #claim(state: InterceptState): Promise<void> {
    if (state.generation === undefined) return
    const { interception, log } = this.#options
    const ports = this.#listeners.preferred
    const generation = await interception.claim(ports, state.generation)
    // Somebody was faster; the next look tells whether to try again.
    if (generation === undefined) return
    this.#generation = generation
    this.#note({ ...state, generation, ports })
    this.#become('serving')
    log.info({ generation, ports: Object.fromEntries(ports) }, 'new connections of pods arrive here')
  }

  #become(role: Role): void {
    this.#role = role
    this.#options.metrics.interceptionServing.set(role === 'serving' ? 1 : 0)
    this.#succeededAt = role === 'succeeded' ? (this.#succeededAt ?? this.#options.clock.now()) : undefined
  }

  #note(state: InterceptState): void {
    this.#state = state
    this.#notedAt = this.#options.clock.now()
    this.#options.metrics.interceptionIntact.set(state.drift.length === 0 ? 1 : 0)
  }

  /** Rules that a successor has written are not ours to mend, even before we let go. */
  #isSucceeded(state: InterceptState): boolean {
    const { generation } = state
    return generation !== undefined && generation !== this.#generation && this.#isServedByAnother(state)
  }

  /** Does a daemon that is alive get the connections to any of the addresses? */
  #isServedByAnother(state: InterceptState): boolean {
    return [...state.ports].some(
      ([original, port]) => !this.#listeners.has(original, port) && state.served.get(original)?.has(port),
    )
  }

  /** Should the reverse-path rule be there? undefined while no pod is known that tells. */
  async #reversePathWanted(signal: AbortSignal): Promise<boolean | undefined> {
    const addresses = [...this.#options.podAddresses()].sort()
    if (addresses.length === 0) return undefined
    const key = addresses.join()
    if (key !== this.#judged?.addresses) {
      const safe = await this.#options.interception.reversePathSafe(addresses, signal)
      this.#judged = { addresses: key, safe }
    }
    return this.#judged.safe
  }
}
