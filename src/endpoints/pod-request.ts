import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Caller, CallerSession, Connection } from '../caller/caller.ts'
import type { Clock } from '../lib/clock.ts'
import { type Deadline, deadlineIn } from '../lib/deadline.ts'
import { keepBody } from './keep-body.ts'
import type { RequestHeaders } from './request-headers.ts'

/** One request of a pod, as protocols see it. */
export class PodRequest {
  readonly method: string
  /** See `canonicalPath`. */
  readonly path: string
  /** What follows the first `?`, as sent: printable ASCII, as Node's parser takes nothing else. Empty if there is none. */
  readonly query: string
  readonly headers: RequestHeaders
  readonly connection: Connection
  readonly session: CallerSession
  /** Milliseconds since the epoch. */
  readonly receivedAt: number
  /**
   * Whose the answer is: set by the protocol before it returns one made for a caller. The server looks at its `valid`
   * in the same turn in which it writes, and has the request handled again if that is false.
   */
  caller: Caller | undefined = undefined
  /** Set for an answer that waited because the client asked it to; such are left out of the latency metric. */
  longPoll = false
  readonly #message: IncomingMessage
  readonly #response: ServerResponse
  #gone: AbortController | undefined
  #heldUntil: number | undefined
  #body: Promise<string | undefined> | undefined

  constructor(
    message: IncomingMessage,
    response: ServerResponse,
    target: { path: string; query: string; headers: RequestHeaders },
    peer: { connection: Connection; session: CallerSession },
    receivedAt: number,
  ) {
    this.method = message.method!
    this.path = target.path
    this.query = target.query
    this.headers = target.headers
    this.connection = peer.connection
    this.session = peer.session
    this.receivedAt = receivedAt
    this.#message = message
    this.#response = response
  }

  /**
   * Every value that a header was sent with: none, one, or more where it is repeated.
   * @param name in lower case
   */
  header(name: string): readonly string[] {
    const raw = this.#message.rawHeaders
    const values: string[] = []
    for (let i = 0; i < raw.length; i += 2) {
      if (raw[i]!.length === name.length && raw[i]!.toLowerCase() === name) values.push(raw[i + 1]!)
    }
    return values
  }

  /** The client has hung up: nobody will read an answer. */
  get gone(): boolean {
    return this.#response.destroyed || this.#message.socket.destroyed
  }

  /** Aborted when the client hangs up. */
  get signal(): AbortSignal {
    if (this.#gone === undefined) {
      const controller = new AbortController()
      this.#gone = controller
      if (this.gone) controller.abort()
      else this.#response.once('close', () => controller.abort())
    }
    return this.#gone.signal
  }

  /**
   * The request's body: see `keepBody`. Called first in the turn in which the request is handled; later calls give the same.
   */
  body(maxBytes: number): Promise<string | undefined> {
    this.#body ??= this.headers.hasBody ? keepBody(this.#message, maxBytes) : Promise.resolve('')
    return this.#body
  }

  /**
   * How long this request may be held in all, counted from the first call: handling it again shares what is left.
   * Dispose of the deadline.
   */
  hold(clock: Clock, ms: number): Deadline {
    this.#heldUntil ??= clock.now() + ms
    return deadlineIn(clock, Math.max(0, this.#heldUntil - clock.now()), this.signal)
  }

  /** Lets a request that has waited for a change be held anew for its answer. */
  restartHold(): void {
    this.#heldUntil = undefined
  }
}
