import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import type { Dial, DialResult } from './dial.ts'

// `dial-process.ts [DIAL, …] MS`: dials all at once, and prints what came of each within the time.

const dials = JSON.parse(process.argv[2]!) as Dial[]
const ms = Number(process.argv[3])

function tcp(
  { host, port, path = '/', from, headers = {} }: Dial,
  end: (outcome: string, text?: string) => void,
): () => void {
  let text = ''
  const socket = connect({ host, port, ...(from === undefined ? {} : { localAddress: from }) })
  socket.setEncoding('latin1')
  socket.on('connect', () => {
    const all = { Host: 'metadata.google.internal', 'Metadata-Flavor': 'Google', ...headers }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`GET ${path} HTTP/1.0\r\n${lines.join('')}\r\n`)
  })
  socket.on('data', (chunk: string) => {
    text += chunk
  })
  socket.on('error', (err) => end((err as NodeJS.ErrnoException).code ?? err.message))
  socket.on('end', () => end('answered', text.slice(0, 4_096)))
  return () => socket.destroy()
}

function udp({ host, port }: Dial, end: (outcome: string, text?: string) => void): () => void {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  socket.on('message', (message) => end('answered', message.toString('latin1')))
  socket.on('error', (err) => end((err as NodeJS.ErrnoException).code ?? err.message))
  // Connected, so that the kernel tells of a refusal too.
  socket.connect(port, host, () => socket.send('question'))
  return () => socket.close()
}

function attempt(dial: Dial): Promise<DialResult> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => end('silent'), ms)
    let ended = false
    function end(outcome: string, text = ''): void {
      if (ended) return
      ended = true
      clearTimeout(timer)
      stop()
      resolve({ ...dial, outcome, text })
    }
    const stop = dial.protocol === 'tcp' ? tcp(dial, end) : udp(dial, end)
  })
}

process.stdout.write(JSON.stringify(await Promise.all(dials.map(attempt))))
process.exit()
