import { asError } from '../lib/as-error.ts'
import type { Clock } from '../lib/clock.ts'
import type { Deadline } from '../lib/deadline.ts'
import { MetadatadError } from '../lib/errors.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Caller, CallerIdentifier, CallerSession, Connection } from './caller.ts'
import type { PodIndex } from './pod-index.ts'
import type { ServiceAccountIndex } from './service-account-index.ts'
import type { Attempt, Identification, IdentificationStrategy } from './strategy.ts'

/** What an identifier is made of. */
export interface IdentifierOptions {
  /** Asked in order; the first that can say decides. */
  readonly strategies: readonly IdentificationStrategy[]
  readonly pods: PodIndex
  readonly serviceAccounts: ServiceAccountIndex
  /** See `LiveReader.mark`. */
  readonly mark: () => number
  readonly clock: Clock
  readonly metrics: Metrics
}

const OVERTAKEN_MS = 20

/** Resolves at the next event about the caller's address or ServiceAccount, or when the request's deadline passes. */
interface NextChange extends Disposable {
  readonly promise: Promise<void>
  /** The ServiceAccount (`namespace/name`) turned out to be the caller's. */
  follow(serviceAccount: string): void
  /** Wakes after so many milliseconds too. */
  orAfter(ms: number): void
}

/** Ties connections to pods by the given strategies: see {@link CallerIdentifier}. */
export function createIdentifier(options: IdentifierOptions): CallerIdentifier {
  return { open: (connection) => new Session(options, connection) }
}

class Session implements CallerSession {
  readonly #options: IdentifierOptions
  readonly #connection: Connection
  #caller: Caller | undefined
  #knownUid: string | undefined
  readonly #mark: number

  constructor(options: IdentifierOptions, connection: Connection) {
    this.#options = options
    this.#connection = connection
    this.#mark = options.mark()
  }

  current(): Caller | undefined {
    if (this.#caller?.valid) return this.#caller
    this.#caller = undefined
    const attempt = this.#attempt()
    for (const strategy of this.#options.strategies) {
      const identification = strategy.recall(attempt)
      if (identification === 'ask') return undefined
      if (identification !== undefined) return this.#settle(strategy.name, identification)
    }
    return undefined
  }

  async identify(deadline: Deadline): Promise<Caller> {
    const heldSince = this.#options.clock.now()
    let failure: MetadatadError | undefined
    for (;;) {
      using change = this.#nextChange(deadline.signal)
      try {
        const caller =
          this.current() ??
          (await unlessAborted(this.#ask(change), deadline.signal, () => failure ?? notReady()))
        if (caller !== undefined) {
          this.#observeHold(heldSince, 'ok')
          return caller
        }
        failure = notReady()
        // What overtook it need not have been about the address, and so need not have woken anybody.
        change.orAfter(OVERTAKEN_MS)
      } catch (error) {
        failure = asError(error)
      }
      const final = !failure.retryable || failure.code === 'CALLER_CHANGED'
      // The reader paces those who ask it again; no event would tell them that the API server can be reached again.
      if (!final && failure.code !== 'CALLER_UNCONFIRMED') {
        if (failure.retryAfterMs !== undefined) change.orAfter(failure.retryAfterMs)
        await change.promise
      }
      if (final || deadline.signal.aborted) {
        this.#observeHold(heldSince, failure.code)
        this.#options.metrics.identifications.inc({ strategy: 'none', outcome: failure.code })
        throw failure
      }
    }
  }

  /** One round of questions: undefined if the answer was overtaken by events and has to be found again. */
  async #ask(change: NextChange): Promise<Caller | undefined> {
    for (const strategy of this.#options.strategies) {
      const identification = await strategy.identify(this.#attempt())
      if (identification === undefined) continue
      const { pod } = identification
      if (pod.serviceAccountName === '') throw noServiceAccount()
      if (this.#knownUid !== undefined && this.#knownUid !== pod.uid) throw callerChanged()
      const serviceAccount = `${pod.namespace}/${pod.serviceAccountName}`
      change.follow(serviceAccount)
      const caller = this.#settle(strategy.name, identification)
      if (caller !== undefined || !identification.valid) return caller
      try {
        await this.#options.serviceAccounts.ask(serviceAccount)
      } catch (cause) {
        throw notReady(cause)
      }
      const settled = this.#settle(strategy.name, identification)
      if (settled === undefined && identification.valid) throw serviceAccountMissing()
      return settled
    }
    throw notReady()
  }

  #settle(strategy: string, identification: Identification): Caller | undefined {
    const { pod } = identification
    if (!identification.valid || pod.serviceAccountName === '') return undefined
    // A connection belongs to one pod for its life. Another answer means that one of the two is wrong.
    if (this.#knownUid !== undefined && this.#knownUid !== pod.uid) return undefined
    const entry = this.#options.serviceAccounts.entry(`${pod.namespace}/${pod.serviceAccountName}`)
    const serviceAccount = entry?.current
    if (entry === undefined || serviceAccount === undefined) return undefined
    if (this.#knownUid === undefined) {
      this.#knownUid = pod.uid
      this.#options.metrics.identifications.inc({ strategy, outcome: 'ok' })
    }
    this.#caller = {
      pod,
      serviceAccount,
      get valid() {
        return identification.valid && entry.current === serviceAccount
      },
    }
    return this.#caller
  }

  #attempt(): Attempt {
    return { connection: this.#connection, mark: this.#mark, knownUid: this.#knownUid }
  }

  #nextChange(signal: AbortSignal): NextChange {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { pods, serviceAccounts, clock } = this.#options
    const stop = new DisposableStack()
    stop.defer(pods.onAddressChange(this.#connection.remoteAddress, resolve))
    const abort = () => resolve()
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', abort, { once: true })
    stop.defer(() => signal.removeEventListener('abort', abort))
    return {
      promise,
      follow(key) {
        if (!stop.disposed) stop.defer(serviceAccounts.onChange(key, resolve))
      },
      orAfter: (ms) => stop.adopt(clock.after(ms, resolve), (timer) => timer.cancel()),
      [Symbol.dispose]: () => stop.dispose(),
    }
  }

  #observeHold(since: number, outcome: string): void {
    this.#options.metrics.held.observe({ outcome }, (this.#options.clock.now() - since) / 1000)
  }
}

/** The promise's outcome, or what `failure` makes as soon as the signal is aborted: nobody waits past a deadline. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal, failure: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(failure())
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

function notReady(cause?: unknown): MetadatadError {
  return new MetadatadError('CALLER_NOT_READY', 'the pod could not be identified in time', {
    fault: 'upstream',
    retryable: true,
    publicMessage:
      'The metadata daemon could not find out in time which pod is calling. Try again in a moment.',
    cause,
  })
}

function noServiceAccount(): MetadatadError {
  return new MetadatadError('CALLER_NO_SERVICE_ACCOUNT', 'the pod has no service account', {
    fault: 'policy',
    retryable: false,
    publicMessage:
      'This is a static pod: it has no Kubernetes ServiceAccount, and so no cloud identity. Run it as an ordinary pod.',
  })
}

function serviceAccountMissing(): MetadatadError {
  return new MetadatadError('SERVICE_ACCOUNT_MISSING', "the pod's service account does not exist", {
    fault: 'policy',
    retryable: true,
    publicMessage: "The pod's Kubernetes ServiceAccount does not exist. Create it again, or delete the pod.",
  })
}

function callerChanged(): MetadatadError {
  return new MetadatadError('CALLER_CHANGED', 'the connection was tied to another pod before', {
    fault: 'upstream',
    retryable: true,
    publicMessage: 'The address of this connection has changed hands. Open a new connection.',
  })
}
