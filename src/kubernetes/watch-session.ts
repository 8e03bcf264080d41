import type { Clock } from '../lib/clock.ts'
import type { KubernetesClient, KubernetesRequest } from './client.ts'
import { kubernetesError } from './status-error.ts'
import { parseWatchEvent, type WatchEvent } from './watch-event.ts'

/** `providerCode` of the error that ends a watch on which nothing was heard for too long. */
export const STALLED = 'stalled'

/** One watch. */
export interface WatchSessionOptions {
  readonly client: KubernetesClient
  readonly request: KubernetesRequest
  /** How long nothing may be heard, in milliseconds; asked again whenever the time may be over. */
  readonly silenceMs: () => number
  readonly clock: Clock
}

/**
 * The events of one watch, `OPEN` first, until the server ends it. A connection on which nothing is heard for too long
 * is taken for dead: TCP alone would notice after a quarter of an hour.
 *
 * @throws MetadatadError `KUBERNETES_*`; `KUBERNETES_UNAVAILABLE` with the provider code {@link STALLED}
 */
export async function* watchSession(
  options: WatchSessionOptions,
): AsyncGenerator<WatchEvent | { readonly type: 'OPEN' }, void, undefined> {
  const { client, request, silenceMs, clock } = options
  const controller = new AbortController()
  const stop = () => controller.abort(request.signal.reason)
  if (request.signal.aborted) stop()
  else request.signal.addEventListener('abort', stop, { once: true })

  let heardAt = clock.now()
  let stalled = false
  const listen = () => {
    const left = heardAt + silenceMs() - clock.now()
    if (left > 0) {
      // The wall clock may have been set back: never wait longer than for one silence.
      timer = clock.after(Math.min(left, silenceMs()), listen)
      return
    }
    stalled = true
    controller.abort(new DOMException('nothing heard for too long', 'TimeoutError'))
  }
  let timer = clock.after(silenceMs(), listen)

  try {
    const lines = await client.watch({ ...request, signal: controller.signal })
    heardAt = clock.now()
    yield { type: 'OPEN' }
    for await (const line of lines) {
      heardAt = clock.now()
      const event = parseWatchEvent(line)
      if (event === undefined)
        throw kubernetesError('KUBERNETES_INVALID', request, 'a line is no watch event')
      yield event
    }
  } catch (error) {
    if (!stalled) throw error
    throw kubernetesError('KUBERNETES_UNAVAILABLE', request, 'nothing heard for too long', {
      providerCode: STALLED,
    })
  } finally {
    timer.cancel()
    request.signal.removeEventListener('abort', stop)
    controller.abort()
  }
}
