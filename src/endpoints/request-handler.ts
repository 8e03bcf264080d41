import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CallerSession, Connection } from '../caller/caller.ts'
import type { Clock } from '../lib/clock.ts'
import { MetadatadError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Answer } from './answer.ts'
import { AnswerMetrics } from './answer-metrics.ts'
import { canonicalPath } from './canonical-path.ts'
import { discardBody } from './discard-body.ts'
import { PodRequest } from './pod-request.ts'
import type { Protocol } from './protocol.ts'
import { refuseBadRequest } from './refuse-bad-request.ts'
import { type RequestHeaders, readRequestHeaders } from './request-headers.ts'

/** One open connection. */
export interface Peer {
  readonly connection: Connection
  readonly session: CallerSession
  /** Requests of it that wait for their answers. */
  pending: number
}

/** What a handler is made of. */
export interface RequestHandlerOptions {
  readonly protocols: readonly [...Protocol[], Protocol]
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/**
 * Requests of one connection that may wait for an answer at once. Real clients do not pipeline at all, and each waiting
 * one holds up to 16 KiB of headers and 7 KiB of objects, on every connection of a pod.
 */
const MAX_PENDING = 2
/** For a client that does not read its answer. */
const WRITE_STALL_MS = 30_000
/** How often a request is handled again because its caller turned invalid meanwhile. */
const MAX_ROUNDS = 4

/**
 * Takes each request to its protocol and writes the answer, in the same turn if it needs no waiting. An answer made
 * for a caller is written only if that caller is valid in the turn of the writing, and none is made while another of its
 * connection still waits for its own.
 */
export class RequestHandler {
  /** Set while the server closes: each answer is then its connection's last. */
  closing = false
  readonly #options: RequestHandlerOptions
  readonly #counted: AnswerMetrics

  constructor(options: RequestHandlerOptions) {
    this.#options = options
    this.#counted = new AnswerMetrics(options.metrics)
  }

  /** Never throws. */
  onRequest(peer: Peer, message: IncomingMessage, response: ServerResponse): void {
    // What the parser had read already keeps coming after the connection is broken.
    if (message.socket.destroyed) return
    if (peer.pending >= MAX_PENDING) {
      this.#options.metrics.connectionsRefused.inc({ limit: 'pipeline' })
      message.socket.destroy()
      return
    }
    const headers = readRequestHeaders(message.rawHeaders)
    if (headers.unknownCoding) {
      refuseBadRequest(message.socket, undefined, this.#options.clock)
      return
    }
    if (headers.hasBody) discardBody(message)
    // Node keeps an answer back until those before it are out. Where one of them waits, that may take long: made now, it
    // would be written when its caller may be another.
    if (response.socket !== null || peer.pending === 0) {
      this.#answer(peer, message, response, headers)
      return
    }
    peer.pending++
    response.once('socket', () =>
      queueMicrotask(() => {
        peer.pending--
        this.#answer(peer, message, response, headers)
      }),
    )
  }

  #answer(peer: Peer, message: IncomingMessage, response: ServerResponse, headers: RequestHeaders): void {
    try {
      this.#tryAnswer(peer, message, response, headers)
    } catch (err) {
      this.#abandon(message, err)
    }
  }

  #tryAnswer(peer: Peer, message: IncomingMessage, response: ServerResponse, headers: RequestHeaders): void {
    const { protocols, clock } = this.#options
    const receivedAt = clock.now()
    const target = message.url!
    const mark = target.indexOf('?')
    const path = canonicalPath(mark < 0 ? target : target.slice(0, mark))
    const query = mark < 0 ? '' : target.slice(mark + 1)
    const protocol = path === undefined ? protocols[0]! : this.#ownerOf(path, headers)
    const request = new PodRequest(message, response, { path: path ?? '', query, headers }, peer, receivedAt)
    const malformed = path === undefined || headers.hostRepeated || lacksHost(message, headers)
    const answer = headers.forwarded
      ? protocol.forwarded
      : malformed
        ? protocol.malformed
        : this.#handle(protocol, request)
    if (!(answer instanceof Promise) && (request.caller === undefined || request.caller.valid)) {
      this.#write(protocol, answer, request, response)
      return
    }
    peer.pending++
    this.#settle(protocol, request, response, answer)
      .catch((err) => this.#abandon(message, err))
      .finally(() => peer.pending--)
  }

  #ownerOf(path: string, headers: RequestHeaders): Protocol {
    const { protocols } = this.#options
    for (const protocol of protocols) if (protocol.owns(path, headers)) return protocol
    return protocols[0]!
  }

  #handle(protocol: Protocol, request: PodRequest): Answer | Promise<Answer> {
    request.caller = undefined
    try {
      return protocol.handle(request)
    } catch (thrown) {
      return this.#failed(protocol, request, thrown)
    }
  }

  async #settle(
    protocol: Protocol,
    request: PodRequest,
    response: ServerResponse,
    first: Answer | Promise<Answer>,
  ): Promise<void> {
    let waiting = first
    for (let round = 1; ; round++) {
      let answer: Answer
      try {
        answer = await waiting
      } catch (thrown) {
        answer = this.#failed(protocol, request, thrown)
      }
      if (request.gone) return
      // No await between this look and the writing.
      if (request.caller === undefined || request.caller.valid) {
        this.#write(protocol, answer, request, response)
        return
      }
      if (round === MAX_ROUNDS) {
        this.#write(protocol, protocol.failure(callerChanged()), request, response)
        return
      }
      waiting = this.#handle(protocol, request)
    }
  }

  #failed(protocol: Protocol, request: PodRequest, thrown: unknown): Answer {
    this.#options.log.error({ err: thrown, protocol: protocol.name }, 'request failed unexpectedly')
    request.caller = undefined
    return protocol.failure(thrown)
  }

  #write(protocol: Protocol, answer: Answer, request: PodRequest, response: ServerResponse): void {
    if (this.closing) response.shouldKeepAlive = false
    // Node reads the list and keeps none of it; its type merely lacks `readonly`.
    response.writeHead(answer.status, answer.headers as string[])
    response.end(answer.body)
    const seconds = request.longPoll ? undefined : (this.#options.clock.now() - request.receivedAt) / 1000
    this.#counted.count(protocol.name, answer.route, answer.status, seconds)
    // Node puts its own, longer, timeout in the place of this one as soon as the answer is out.
    const { socket } = response
    if (socket !== null && socket.writableLength > 0) socket.setTimeout(WRITE_STALL_MS)
  }

  #abandon(message: IncomingMessage, err: unknown): void {
    this.#options.log.error({ err }, 'answer could not be written')
    message.socket.destroy()
  }
}

function lacksHost(message: IncomingMessage, headers: RequestHeaders): boolean {
  return headers.host === undefined && message.httpVersion !== '1.0'
}

function callerChanged(): MetadatadError {
  return new MetadatadError('CALLER_CHANGED', 'caller kept changing while its request was answered', {
    retryable: true,
    fault: 'ours',
    publicMessage: 'The pod behind this address is changing. Try again.',
  })
}
