import { type Dispatcher, request } from 'undici'
import { asError } from '../lib/as-error.ts'
import { fullJitter } from '../lib/backoff.ts'
import type { Clock } from '../lib/clock.ts'
import { type Deadline, deadlineIn } from '../lib/deadline.ts'
import { MetadatadError } from '../lib/errors.ts'
import type { Metrics } from '../lib/metrics.ts'
import { Secret } from '../lib/secret.ts'
import { sleep } from '../lib/sleep.ts'
import { retryAfterMs } from './retry-after.ts'
import type { ThrottleGate } from './throttle-gate.ts'

/** What the helper works with. */
export interface CloudRequestOptions {
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  readonly metrics: Metrics
  /** Uniform in [0, 1), for the jitter. */
  readonly random?: (() => number) | undefined
}

/** One POST to a cloud. */
export interface CloudCall<T> {
  /** The call's name in metrics and messages (`google_sts`); from a small fixed set. */
  readonly call: string
  /** Whom to name in messages for the pod (`Google STS`). */
  readonly service: string
  /** Absolute; holds no secret. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as `Authorization: Bearer`. */
  readonly bearer?: Secret
  /** `form` is sent as `application/x-www-form-urlencoded`, `json` as `application/json`. */
  readonly body: { readonly form: Readonly<Record<string, string | Secret>> } | { readonly json: unknown }
  /** Ends the call, waits included. */
  readonly signal: AbortSignal
  /** Asked before every attempt; while it is closed, the call waits with all others of its kind. */
  readonly gate?: ThrottleGate | undefined
  /**
   * Makes the result of a whole answer, whatever its status, or throws what the answer means in the provider's own codes.
   * What it throws as retryable is tried again, `EXCHANGE_SUBJECT_EXPIRED` excepted: the same token would not do better.
   */
  classify(answer: CloudAnswer): T
}

/** What a cloud said. */
export interface CloudAnswer {
  readonly status: number
  /** The body as UTF-8; at most 256 KiB of it came. */
  readonly text: string
  /** `Retry-After`, bounded. */
  readonly retryAfterMs: number | undefined
  /** When the request was sent, in milliseconds since the epoch: lives given in seconds count from here. */
  readonly sentAt: number
}

/** Makes {@link CloudCall}s. */
export type CloudRequest = <T>(call: CloudCall<T>) => Promise<T>

const MAX_BODY_BYTES = 256 * 1024
const MAX_ATTEMPTS = 4
const ATTEMPT_MS = 5_000
const OVERALL_MS = 15_000
const MAX_WAIT_MS = 4_000
const BACKOFF = { baseMs: 200, maxMs: MAX_WAIT_MS }

/**
 * The one way out to the clouds. A call gets up to 4 attempts of 5 s within 15 s; redirects are not followed (the bearer
 * token would follow them), and an answer of more than 256 KiB is none. Each attempt is counted and timed.
 *
 * A call throws what its `classify` threw, else `EXCHANGE_UNAVAILABLE` (no answer) or `EXCHANGE_MALFORMED` (too much of
 * one), both retryable.
 */
export function createCloudRequest(options: CloudRequestOptions): CloudRequest {
  const { clock, metrics, random } = options

  return async (call) => {
    using overall = deadlineIn(clock, OVERALL_MS, call.signal)
    for (let attempt = 0; ; attempt++) {
      const held = await heldBack(call, overall)
      if (held) throw held
      const result = await observed(call, overall.signal)
      if ('value' in result) return result.value
      const { failure } = result
      if (!failure.retryable || failure.code === 'EXCHANGE_SUBJECT_EXPIRED' || attempt + 1 === MAX_ATTEMPTS)
        throw failure
      const wait =
        (failure.retryAfterMs ?? 0) + fullJitter(attempt, { ...BACKOFF, ...(random && { random }) })
      // Whoever waits is told now, instead of after a wait that can't be followed by an attempt. A longer one is the cache's
      // to keep: here, the caller's own deadline would end it, and with it what the cloud said.
      if (wait > MAX_WAIT_MS || clock.now() + wait >= overall.at) throw failure
      await sleep(clock, wait, overall.signal)
      if (overall.signal.aborted) throw failure
    }
  }

  /** Waits until the gate is open; gives what to throw if that takes longer than the call may wait. */
  async function heldBack<T>(
    { gate, service }: CloudCall<T>,
    overall: Deadline,
  ): Promise<MetadatadError | undefined> {
    if (gate === undefined) return undefined
    // The first of those who waited may have closed it again.
    for (let closedMs = gate.closedMs(); closedMs > 0; closedMs = gate.closedMs()) {
      const wait =
        closedMs + fullJitter(0, { baseMs: closedMs, maxMs: MAX_WAIT_MS, ...(random && { random }) })
      const failure = throttled(service, closedMs)
      if (wait > MAX_WAIT_MS || clock.now() + wait >= overall.at) return failure
      await sleep(clock, wait, overall.signal)
      if (overall.signal.aborted) return failure
    }
    return undefined
  }

  async function observed<T>(
    call: CloudCall<T>,
    signal: AbortSignal,
  ): Promise<{ value: T } | { failure: MetadatadError }> {
    const startedAt = clock.now()
    let outcome = 'ok'
    try {
      return { value: call.classify(await send(options, call, signal)) }
    } catch (thrown) {
      const failure = asError(thrown)
      outcome = failure.code
      return { failure }
    } finally {
      metrics.exchanges.inc({ call: call.call, outcome })
      metrics.exchangeSeconds.observe({ call: call.call }, (clock.now() - startedAt) / 1000)
    }
  }
}

async function send<T>(
  options: CloudRequestOptions,
  call: CloudCall<T>,
  signal: AbortSignal,
): Promise<CloudAnswer> {
  using attempt = deadlineIn(options.clock, ATTEMPT_MS, signal)
  const sentAt = options.clock.now()
  try {
    const response = await request(call.url, {
      dispatcher: options.dispatcher,
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'form' in call.body ? 'application/x-www-form-urlencoded' : 'application/json',
        ...call.headers,
        ...(call.bearer && { authorization: `Bearer ${call.bearer.reveal()}` }),
      },
      body: encode(call.body),
      signal: attempt.signal,
    })
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of response.body) {
      size += chunk.length
      // Leaving the loop destroys the connection: the rest is not read.
      if (size > MAX_BODY_BYTES) throw tooLong(call.service)
      chunks.push(chunk)
    }
    const header = response.headers['retry-after']
    return {
      status: response.statusCode,
      text: Buffer.concat(chunks).toString('utf8'),
      retryAfterMs: retryAfterMs(Array.isArray(header) ? header[0] : header, options.clock.now()),
      sentAt,
    }
  } catch (thrown) {
    if (thrown instanceof MetadatadError) throw thrown
    throw new MetadatadError('EXCHANGE_UNAVAILABLE', `no answer from ${call.service.toLowerCase()}`, {
      fault: 'upstream',
      retryable: true,
      publicMessage: `${call.service} could not be reached. Try again.`,
      cause: thrown,
    })
  }
}

function encode(body: CloudCall<unknown>['body']): string {
  if ('json' in body) return JSON.stringify(body.json)
  const form = new URLSearchParams()
  for (const [key, value] of Object.entries(body.form)) {
    form.set(key, value instanceof Secret ? value.reveal() : value)
  }
  return form.toString()
}

function throttled(service: string, closedMs: number): MetadatadError {
  return new MetadatadError(
    'EXCHANGE_THROTTLED',
    `held back, because ${service.toLowerCase()} throttled this node`,
    {
      fault: 'upstream',
      retryable: true,
      publicMessage: `${service} gets too many requests, and this node has to pause. Try again in a few seconds.`,
      retryAfterMs: closedMs,
    },
  )
}

function tooLong(service: string): MetadatadError {
  return new MetadatadError('EXCHANGE_MALFORMED', `answer of ${service.toLowerCase()} is too long`, {
    fault: 'upstream',
    retryable: true,
    publicMessage: `${service} gave an answer that is none of its own. Try again.`,
  })
}
