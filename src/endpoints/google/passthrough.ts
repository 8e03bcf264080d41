import { type Dispatcher, request as fetchUpstream } from 'undici'
import type { Clock } from '../../lib/clock.ts'
import { deadlineIn } from '../../lib/deadline.ts'
import { MetadatadError } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { PodRequest } from '../pod-request.ts'
import { type GoogleAnswer, googleAnswer, googleError, TEXT } from './google-answer.ts'

/** What may be fetched from the real metadata server, and how. */
export interface PassthroughOptions {
  /** Exact canonical paths; which may be on the list at all is the configuration's to decide. */
  readonly paths: readonly string[]
  /** Base URL without a path, e.g. `http://169.254.169.254`. */
  readonly upstream: string
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  readonly log: Log
}

const DEADLINE_MS = 2000
const MAX_BODY_BYTES = 1024 * 1024
/** At once, for all pods: each may hold 1 MiB. */
const MAX_OPEN = 16

/**
 * The one way through to the real metadata server. Nothing of the pod's request goes along but the fact that an allowed
 * path was asked for, and `alt`; nothing but the value comes back.
 */
export class Passthrough {
  readonly #options: PassthroughOptions
  readonly #paths: ReadonlySet<string>
  #open = 0

  constructor(options: PassthroughOptions) {
    this.#options = options
    this.#paths = new Set(options.paths)
  }

  /** @param path canonical */
  allows(path: string): boolean {
    return this.#paths.has(path)
  }

  /** The real server's value; 404 where it has none, 503 for anything else that it does. */
  async answer(request: PodRequest): Promise<GoogleAnswer> {
    const parameters = new URLSearchParams(request.query)
    if (parameters.has('wait_for_change')) return googleError('passthrough', 400, 'Invalid Request')
    if (this.#open >= MAX_OPEN) return unavailable()
    const alt = parameters.get('alt')
    const { upstream, clock, log } = this.#options
    this.#open++
    using deadline = deadlineIn(clock, DEADLINE_MS, request.signal)
    try {
      const target = upstream + request.path + (alt === 'json' || alt === 'text' ? `?alt=${alt}` : '')
      return await this.#fetch(target, deadline.signal)
    } catch (err) {
      if (!request.gone) log.warn({ err, path: request.path }, 'passthrough failed')
      return unavailable()
    } finally {
      this.#open--
    }
  }

  async #fetch(target: string, signal: AbortSignal): Promise<GoogleAnswer> {
    const { statusCode, headers, body } = await fetchUpstream(target, {
      dispatcher: this.#options.dispatcher,
      headers: { 'Metadata-Flavor': 'Google' },
      signal,
    })
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > MAX_BODY_BYTES) throw unusable('upstream value is longer than 1 MiB')
      chunks.push(chunk)
    }
    if (headers['metadata-flavor'] !== 'Google') throw unusable('upstream is no metadata server')
    // A redirect is a directory, whose listing nobody allowed.
    if (statusCode === 404 || statusCode === 301) return googleError('passthrough', 404, 'Not Found')
    if (statusCode !== 200) throw unusable('upstream status is unexpected', String(statusCode))
    const type = headers['content-type']
    return googleAnswer('passthrough', 200, typeof type === 'string' ? type : TEXT, Buffer.concat(chunks))
  }
}

function unavailable(): GoogleAnswer {
  return googleError(
    'passthrough',
    503,
    'The metadata server behind this one cannot be reached. Try again.',
    ['Retry-After', '1'],
  )
}

function unusable(message: string, providerCode?: string): MetadatadError {
  return new MetadatadError('EXCHANGE_MALFORMED', message, {
    retryable: true,
    fault: 'upstream',
    publicMessage: 'The metadata server behind this one gave no usable answer. Try again.',
    ...(providerCode === undefined ? {} : { providerCode }),
  })
}
