import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** One request as it went by. */
export interface Recorded {
  /** `GET /path?query`. */
  readonly line: string
  /** Undefined until it is answered. */
  status: number | undefined
}

/** See {@link startRelay}. */
export interface Relay extends AsyncDisposable {
  /** `127.0.0.1:port`, where the program is sent. */
  readonly host: string
  /** In the order of their arrival. */
  readonly requests: readonly Recorded[]
}

const REQUEST = /^([A-Z]+ \S+) HTTP\/1\.1\r\n/
const STATUS = /^HTTP\/1\.1 (\d{3}) /

/**
 * A stretch of wire in front of a server: what a program sends here leaves byte for byte from an address that the program
 * can't choose by itself, and the answer comes back as it is. Requests must have no body and wait for each other, as those
 * for metadata do.
 *
 * @param to `host:port` of the server
 * @param from the source address for a request, by its `METHOD path`; undefined loses the request, as a firewall would
 */
export async function startRelay(to: string, from: (line: string) => string | undefined): Promise<Relay> {
  const { hostname, port } = new URL(`http://${to}`)
  const requests: Recorded[] = []
  const open = new Set<Socket>()

  function track(socket: Socket): Socket {
    open.add(socket)
    // A reset is an end like any other here.
    return socket.on('error', () => {}).once('close', () => open.delete(socket))
  }

  const server = createServer((client) => {
    track(client)
    const upstreams = new Map<string, Socket>()
    let recorded: Recorded | undefined
    let head = ''

    function upstream(localAddress: string): Socket {
      const socket = track(connect({ host: hostname, port: Number(port), localAddress }))
      upstreams.set(localAddress, socket)
      socket.on('data', (bytes: Buffer) => {
        const status = STATUS.exec(bytes.toString('latin1'))?.[1]
        if (status !== undefined && recorded) recorded.status ??= Number(status)
        client.write(bytes)
      })
      return socket.once('close', () => client.end())
    }

    client.on('data', (bytes: Buffer) => {
      head += bytes.toString('latin1')
      if (!head.endsWith('\r\n\r\n')) return
      const text = head
      head = ''
      recorded = { line: REQUEST.exec(text)?.[1] ?? text, status: undefined }
      requests.push(recorded)
      const address = from(recorded.line)
      if (address === undefined) return
      const socket = upstreams.get(address) ?? upstream(address)
      socket.write(text, 'latin1')
    })
    client.once('close', () => {
      for (const socket of upstreams.values()) socket.destroy()
    })
  })

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
