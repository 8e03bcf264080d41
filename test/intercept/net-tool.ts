// A process that the tests start inside a network namespace: `serve JSON` answers, `dial JSON` asks each once, at the same time.
import { createSocket } from 'node:dgram'
import { connect, createServer } from 'node:net'

/** Where to answer, and with what. */
export interface Served {
  readonly protocol: 'tcp' | 'udp'
  readonly host: string
  readonly port: number
  readonly says: string
}

/** What to ask, and how long to wait for an answer. */
export interface Dialled {
  readonly protocol: 'tcp' | 'udp'
  readonly host: string
  readonly port: number
  readonly from?: string
  readonly timeoutMs: number
}

const [, , role, argument = ''] = process.argv
if (role === 'serve') await serve(JSON.parse(argument))
else if (role === 'dial') {
  const outcomes = await Promise.all((JSON.parse(argument) as Dialled[]).map(dial))
  process.stdout.write(JSON.stringify(outcomes), () => process.exit())
}

async function serve(all: readonly Served[]): Promise<void> {
  await Promise.all(all.map((one) => (one.protocol === 'tcp' ? serveTcp(one) : serveUdp(one))))
  process.stdout.write('ready\n')
}

function serveTcp({ host, port, says }: Served): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', () => socket.write(`${says} to ${socket.remoteAddress}\n`))
  })
  return new Promise((resolve) => server.listen({ host, port }, resolve))
}

function serveUdp({ host, port, says }: Served): Promise<void> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  socket.on('message', (_, { address, port }) => socket.send(`${says} to ${address}\n`, port, address))
  return new Promise((resolve) => socket.bind(port, host, resolve))
}

/** What was answered, or why nothing was: `timeout`, `ECONNREFUSED`. */
function dial({ protocol, host, port, from, timeoutMs }: Dialled): Promise<string> {
  return new Promise((resolve) => {
    const end = (outcome: string) => resolve(outcome.trim())
    setTimeout(() => end('timeout'), timeoutMs)
    if (protocol === 'tcp') {
      const socket = connect({ host, port, ...(from === undefined ? {} : { localAddress: from }) })
      socket.on('connect', () => socket.write('?'))
      socket.on('data', (data) => end(String(data)))
      socket.on('error', (err: NodeJS.ErrnoException) => end(String(err.code)))
      return
    }
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    socket.on('message', (data) => end(String(data)))
    socket.on('error', (err: NodeJS.ErrnoException) => end(String(err.code)))
    socket.bind(0, from, () => socket.send('?', port, host))
  })
}
