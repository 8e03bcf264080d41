import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { dialTcp } from '../../../src/intercept/probe/dial-tcp.ts'
import { dialUdp } from '../../../src/intercept/probe/dial-udp.ts'
import { httpExchange } from '../../../src/intercept/probe/http-exchange.ts'
import { udpPayload } from '../../../src/intercept/probe/udp-payload.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { deadlineIn } from '../../../src/lib/deadline.ts'

const never = new AbortController().signal
const address = '127.0.0.1'

/** A TCP server that does this to each connection, and its port. */
async function server(t: Test, onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const listening = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onConnection(socket)
  }).listen(0, address)
  await once(listening, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    listening.close()
  })
  return (listening.address() as { port: number }).port
}

/** A port that nothing listens at, nor ever dials from: one that was free a moment ago may be anybody's. */
const CLOSED_PORT = 1

t.test('a connection that is accepted is an answer, one that is reset a refusal', async (t) => {
  const port = await server(t, () => {})
  t.match(await dialTcp({ address, port, protocol: 'tcp' }, never), { result: 'answered' })
  const closed = { address, port: CLOSED_PORT }
  t.match(await dialTcp({ ...closed, protocol: 'tcp' }, never), { result: 'refused', detail: 'ECONNREFUSED' })
  const udp = { ...closed, protocol: 'udp' } as const
  t.match(await dialUdp(udp, udpPayload(53), never), { result: 'refused', detail: 'ECONNREFUSED' })
  t.match(await dialUdp(udp, undefined, never), { result: 'silent' }, 'nothing is sent')
  t.match(await dialTcp({ ...closed, protocol: 'tcp' }, AbortSignal.abort()), { result: 'silent' })
  t.match(await dialUdp(udp, undefined, AbortSignal.abort()), { result: 'silent' })
})

t.test('a datagram that is answered, and one that is not', async (t) => {
  const socket = createSocket('udp4').bind(0, address)
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  const { port } = socket.address()
  const target = { address, port, protocol: 'udp' } as const
  using deadline = deadlineIn(systemClock, 50)
  const unanswered = once(socket, 'message')
  t.match(await dialUdp(target, udpPayload(123), deadline.signal), { result: 'silent' })
  await unanswered
  const received: Buffer[] = []
  socket.on('message', (message, from) => {
    received.push(message)
    socket.send('answer', from.port, from.address)
  })
  t.match(await dialUdp(target, udpPayload(53), never), { result: 'answered' })
  t.match(await dialUdp(target, udpPayload(123), never), { result: 'answered' })
  t.strictSame(
    received.map(({ length }) => length),
    [17, 48],
  )
})

t.test('an HTTP exchange ends, whatever is at the other end', async (t) => {
  const ask = async (bytes: string, end: 'end' | 'reset' | 'wait', signal = never) => {
    const port = await server(t, (socket) =>
      socket.once('data', () => {
        if (bytes !== '') socket.write(bytes)
        if (end === 'end') socket.end()
        if (end === 'reset') socket.resetAndDestroy()
      }),
    )
    return await httpExchange({ address, port, path: '/' }, signal)
  }
  const fine = 'HTTP/1.1 200 OK\r\nServer: metadatad\r\nContent-Length: 2\r\n\r\n{}'
  t.match(await ask(fine, 'wait'), { connected: true, status: 200, server: 'metadatad', body: '{}' })
  t.match(await ask('SSH-2.0-OpenSSH\r\n', 'wait'), {
    connected: true,
    status: undefined,
    errorCode: /^HPE_/,
  })
  t.match(await ask('', 'end'), { connected: true, status: undefined, errorCode: 'ECONNRESET' })
  t.match(await ask('', 'reset'), { connected: true, status: undefined, errorCode: 'ECONNRESET' })
  t.match(await ask(fine.slice(0, -1), 'end'), {
    connected: true,
    status: undefined,
    errorCode: 'ECONNRESET',
  })
  const long = await ask(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(100_000)}`, 'wait')
  t.match(long, { status: 200 })
  t.equal(long.body.length, 16 * 1024)
  for (const bytes of ['', fine.slice(0, -1)]) {
    using deadline = deadlineIn(systemClock, 100)
    t.match(await ask(bytes, 'wait', deadline.signal), { status: undefined, errorCode: undefined })
  }
  const refused = await httpExchange({ address, port: CLOSED_PORT, path: '/' }, never)
  t.match(refused, { connected: false, status: undefined, errorCode: 'ECONNREFUSED' })
  t.match(await httpExchange({ address, port: 1, path: '/' }, AbortSignal.abort()), { connected: false })
})
