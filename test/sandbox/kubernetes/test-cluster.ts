import type { Test } from 'tap'
import { Agent, request } from 'undici'
import { type Clock, systemClock } from '../../../src/lib/clock.ts'
import { silentLog } from '../../../src/lib/log.ts'
import { createCertificateAuthority } from '../../../src/sandbox/certificate-authority.ts'
import { startKubernetes } from '../../../src/sandbox/kubernetes/start-kubernetes.ts'

const ca = await createCertificateAuthority()

// biome-ignore lint/suspicious/noExplicitAny: what a server sends is judged by the assertions
export type Json = any

export interface CallOptions {
  /** `undefined`: a user with every right; null: no credentials. */
  readonly token?: string | null
  readonly accept?: string
  readonly method?: string
  /** Of the body; JSON unless said. */
  readonly type?: string
  readonly body?: unknown
}

/** A cluster of its own for one test, and a client of its API. */
export async function startCluster(t: Test, clock: Clock = systemClock) {
  const started = await startKubernetes({ ca, clock, log: silentLog })
  const { kubernetes } = started
  const dispatcher = new Agent({ connect: { ca: ca.pem }, bodyTimeout: 0 })
  const admin = kubernetes.userToken('admin', ['*'])
  t.teardown(async () => {
    await dispatcher.destroy()
    await started.close()
  })

  function send(path: string, { token = admin, accept, method, type, body }: CallOptions, via = dispatcher) {
    return request(kubernetes.url + path, {
      dispatcher: via,
      method: (method ?? (body === undefined ? 'GET' : 'POST')) as 'GET',
      headers: {
        ...(token !== null && { authorization: `Bearer ${token}` }),
        ...(accept && { accept }),
        ...(body !== undefined && { 'content-type': type ?? 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  }

  /** One call: its status and parsed body. */
  async function call(
    path: string,
    options: CallOptions = {},
    via = dispatcher,
  ): Promise<{ status: number; body: Json }> {
    const answer = await send(path, options, via)
    const text = await answer.body.text()
    return { status: answer.statusCode, body: text.startsWith('{') ? JSON.parse(text) : text }
  }

  /** A watch; `next` gives its next event, or undefined after a proper end, and rejects on a broken connection. */
  async function watch(path: string, options: CallOptions = {}) {
    const answer = await send(path, options)
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}: ${await answer.body.text()}`)
    const lines = readLines(answer.body)
    return {
      async next(): Promise<Json> {
        const line = await lines.next()
        return line.done ? undefined : JSON.parse(line.value)
      },
      /** The next `count` events as `TYPE name`. */
      async names(count: number): Promise<string[]> {
        const names: string[] = []
        while (names.length < count) {
          const event = await this.next()
          names.push(
            event ? `${event.type} ${event.object.metadata.name ?? event.object.code ?? ''}`.trim() : 'END',
          )
        }
        return names
      },
    }
  }

  return { ...started, ca, call, watch, dispatcher }
}

async function* readLines(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of body) {
    const lines = (rest + chunk.toString('utf8')).split('\n')
    rest = lines.pop()!
    yield* lines
  }
}
