import { type Dispatcher, request as fetchUpstream } from 'undici'
import type { Clock } from '../lib/clock.ts'
import { deadlineIn } from '../lib/deadline.ts'
import type { Log } from '../lib/log.ts'
import type { Answer } from './answer.ts'
import type { PodRequest } from './pod-request.ts'
import { unusableUpstream } from './unusable-upstream.ts'

/** One call of the real metadata server: made by the daemon, with nothing of the pod's own. */
export interface UpstreamCall {
  readonly method: 'GET' | 'PUT'
  /** Path and query. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
}

/** What came back. */
export interface UpstreamValue {
  readonly status: number
  readonly headers: Dispatcher.ResponseData['headers']
  readonly body: Buffer
}

/** What may be fetched from the real metadata server, and where. */
export interface PassthroughOptions {
  /** Exact canonical paths without a slash at the end; which may be on the list at all is the configuration's to decide. */
  readonly paths: readonly string[]
  /** Base URL without a path, e.g. `http://169.254.169.254`. */
  readonly upstream: string
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  readonly log: Log
}

/** One cloud's way of asking. */
export interface PassthroughDialect {
  /** For all calls of one request together. */
  readonly deadlineMs: number
  /** A path with a slash at the end is the same as without. */
  readonly slashIgnored: boolean
  /**
   * Asks for one of the paths.
   * @param send throws MetadatadError `EXCHANGE_MALFORMED` for more than 1 MiB, and undici's errors
   * @throws anything for an answer that can't be used: it is logged, and `unavailable` is answered
   */
  readonly ask: (
    path: string,
    query: string,
    send: (call: UpstreamCall) => Promise<UpstreamValue>,
  ) => Promise<Answer>
  /** 503, for anything that goes wrong. */
  readonly unavailable: Answer
}

const MAX_BODY_BYTES = 1024 * 1024
/** At once, for all pods: each may hold 1 MiB. */
const MAX_OPEN = 16

/** The one way through to the real metadata server, for the operator's list of paths and nothing else. */
export class Passthrough {
  readonly #options: PassthroughOptions
  readonly #dialect: PassthroughDialect
  readonly #paths: ReadonlySet<string>
  #open = 0

  constructor(options: PassthroughOptions, dialect: PassthroughDialect) {
    this.#options = options
    this.#dialect = dialect
    this.#paths = new Set(options.paths)
  }

  /** @param path canonical */
  allows(path: string): boolean {
    return this.#paths.has(this.#listed(path))
  }

  /** What the real server has there; never rejects. */
  async answer(request: PodRequest): Promise<Answer> {
    const { clock, log } = this.#options
    const { ask, unavailable, deadlineMs } = this.#dialect
    if (this.#open >= MAX_OPEN) return unavailable
    this.#open++
    using deadline = deadlineIn(clock, deadlineMs, request.signal)
    try {
      const send = (call: UpstreamCall) => this.#send(call, deadline.signal)
      return await ask(this.#listed(request.path), request.query, send)
    } catch (err) {
      if (!request.gone) log.warn({ err, path: request.path }, 'passthrough failed')
      return unavailable
    } finally {
      this.#open--
    }
  }

  async #send({ method, target, headers }: UpstreamCall, signal: AbortSignal): Promise<UpstreamValue> {
    const { upstream, dispatcher } = this.#options
    const response = await fetchUpstream(upstream + target, { method, dispatcher, headers, signal })
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > MAX_BODY_BYTES) throw unusableUpstream('upstream value is longer than 1 MiB')
      chunks.push(chunk)
    }
    return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }
  }

  /** As the operator's list spells it. */
  #listed(path: string): string {
    return this.#dialect.slashIgnored && path.endsWith('/') ? path.slice(0, -1) : path
  }
}
