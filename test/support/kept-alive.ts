import { Agent, request } from 'node:http'
import type { Answered } from './ask.ts'
import { eventually } from './eventually.ts'

/** One connection of a pod that stays open between its requests. */
export interface KeptAlive extends Disposable {
  ask(path: string): Promise<Answered>
  /** As `ask`, with 503 asked again, as SDKs do. */
  askPatiently(path: string): Promise<Answered>
  /** Source ports used so far: one means one connection. */
  readonly ports: ReadonlySet<number>
}

/**
 * A client that keeps its connection, as SDKs' pools do, and opens another when it is closed.
 *
 * @param host `host:port`
 * @param from source address
 */
export function keptAlive(host: string, from: string): KeptAlive {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const { hostname, port } = new URL(`http://${host}`)
  const ports = new Set<number>()
  const ask = (path: string) =>
    new Promise<Answered>((resolve, reject) => {
      const call = request({
        agent,
        host: hostname,
        port,
        path,
        localAddress: from,
        headers: { 'Metadata-Flavor': 'Google' },
      })
      call.on('socket', (socket) => {
        if (socket.connecting) socket.once('connect', () => ports.add(socket.localPort!))
      })
      call.on('response', async (response) => {
        try {
          const chunks: Buffer[] = []
          for await (const chunk of response) chunks.push(chunk)
          const body = Buffer.concat(chunks).toString()
          resolve({ status: response.statusCode!, headers: response.headers, body })
        } catch (err) {
          reject(err)
        }
      })
      call.on('error', reject)
      call.end()
    })
  return {
    ports,
    ask,
    askPatiently: (path) =>
      eventually(
        () => ask(path),
        ({ status }) => status !== 503,
      ),
    [Symbol.dispose]: () => agent.destroy(),
  }
}
