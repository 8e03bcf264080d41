import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import t, { type Test } from 'tap'
import { PodRequest } from '../../src/endpoints/pod-request.ts'
import { readRequestHeaders } from '../../src/endpoints/request-headers.ts'

/** Two requests that arrive together, the first of which is not answered yet. */
async function pipelined(t: Test) {
  const arrived: [IncomingMessage, ServerResponse][] = []
  const server = createServer((message, response) => arrived.push([message, response]))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = connect({ host: '127.0.0.1', port })
  client.on('error', () => {})
  t.teardown(() => {
    client.destroy()
    server.closeAllConnections()
    server.close()
  })
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2))
  while (arrived.length < 2) await once(server, 'request')
  const requests = arrived.map(([message, response]) => {
    const headers = readRequestHeaders(message.rawHeaders)
    return new PodRequest(message, response, { path: '/', query: '', headers }, {} as never, 0)
  })
  return { client, socket: arrived[0]![0].socket, responses: arrived.map(([, it]) => it), requests }
}

t.test('whoever hangs up ends all requests of the connection, also those whose turn it is not', async (t) => {
  const { client, socket, requests } = await pipelined(t)
  const signals = requests.map((request) => request.signal)
  t.notOk(signals.some((signal) => signal.aborted))
  // Not events.once, which rejects on the reset.
  const closed = new Promise((resolve) => socket.once('close', resolve))
  client.resetAndDestroy()
  await closed
  t.ok(signals.every((signal) => signal.aborted))
  t.ok(requests.every((request) => request.gone))
})

t.test('a request that has its answer leaves nothing on its connection', async (t) => {
  const { client, socket, responses, requests } = await pipelined(t)
  const listeners = socket.listenerCount('close')
  for (const { signal } of requests) t.notOk(signal.aborted)
  for (const response of responses) response.end()
  client.resume()
  await once(responses[1]!, 'close')
  t.ok(socket.listenerCount('close') <= listeners)
})
