import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { createMetadataServer } from '../../src/endpoints/metadata-server.ts'
import type { Protocol } from '../../src/endpoints/protocol.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { type Log, silentLog } from '../../src/lib/log.ts'
import { createMetrics, type Metrics } from '../../src/lib/metrics.ts'
import {
  type AskOptions,
  drain,
  type TestAnswer,
  TestCredentials,
  TestIdentifier,
} from '../support/endpoint-fixture.ts'

/** What protocols under test are made from. */
export interface ProtocolParts {
  readonly credentials: TestCredentials
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** The real server with the given protocols on a loopback port, for a test's own callers and credentials. */
export async function startProtocols(
  t: { teardown(fn: () => Promise<void>): unknown },
  make: (parts: ProtocolParts) => [...Protocol[], Protocol],
  options: { clock?: Clock; log?: Log; dialled?: readonly { address: string; port: number }[] } = {},
) {
  const { clock = systemClock, log = silentLog } = options
  const metrics = createMetrics()
  const identifier = new TestIdentifier()
  const credentials = new TestCredentials(clock)
  const protocols = make({ credentials, clock, log, metrics })
  const server = createMetadataServer({ identifier, protocols, clock, log, metrics })
  t.teardown(() => server.close())
  const { port } = await server.listen('127.0.0.1', 0, { dialled: options.dialled ?? [] })

  async function ask(path: string, { method, headers, from, body }: AskOptions = {}): Promise<TestAnswer> {
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      path,
      method: method ?? 'GET',
      localAddress: from,
      agent: false,
      headers: { ...headers } as Record<string, string>,
    })
    request.end(body)
    const [response] = await once(request, 'response')
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    return {
      status: response.statusCode,
      headers: response.headers,
      rawHeaders: response.rawHeaders,
      body: Buffer.concat(chunks).toString(),
    }
  }

  /** Sends bytes as they are and reads until the server ends the connection. */
  async function raw(bytes: string): Promise<string> {
    const socket = connect({ host: '127.0.0.1', port })
    await once(socket, 'connect')
    socket.write(bytes, 'latin1')
    return await drain(socket)
  }

  const blocked = async () => {
    const { values } = await metrics.blocked.get()
    return values.reduce((sum, { value }) => sum + value, 0)
  }
  return { ask, raw, clock, identifier, credentials, blocked }
}
