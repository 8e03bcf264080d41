import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Opens a TCP connection to `host:port` from the given source address. */
export async function dial(host: string, from: string): Promise<Socket> {
  const { hostname, port } = new URL(`http://${host}`)
  // Half open: what the other end does after it has ended its side is what tests look at.
  const socket = connect({ host: hostname, port: Number(port), localAddress: from, allowHalfOpen: true })
  await once(socket, 'connect')
  return socket
}

/** All that comes until the other end closes, or breaks, the connection. */
export function drain(socket: Socket): Promise<string> {
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk
  })
  socket.on('end', () => socket.end())
  // A reset is an end like any other here.
  socket.on('error', () => {})
  return new Promise((resolve) => socket.once('close', () => resolve(text)))
}

/** Sends bytes (latin1) as they are, and reads until the connection ends. */
export async function exchange(host: string, from: string, bytes: string): Promise<string> {
  const socket = await dial(host, from)
  const answer = drain(socket)
  socket.write(bytes, 'latin1')
  return answer
}
