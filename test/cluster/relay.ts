import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A way to an API server that counts what passes, and that can be cut. Of TCP: what it carries stays sealed. */
export class Relay implements AsyncDisposable {
  /** `https://127.0.0.1:PORT`; certificates of loopback hold for it. */
  readonly url: string
  /** Bytes from the API server to its clients so far, TLS and all. */
  received = 0
  /** Bytes from clients to the API server so far. */
  sent = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isCut = false

  private constructor(server: Server, to: URL) {
    this.#server = server
    this.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('connection', (client) => this.#join(client, to))
  }

  /** @param url of the API server: `https://HOST:PORT` */
  static async to(url: string): Promise<Relay> {
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Relay(server, new URL(url))
  }

  /** Breaks every connection; a new one is broken at once, until `mend`. */
  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  mend(): void {
    this.#isCut = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(client: Socket, { hostname, port }: URL): void {
    if (this.#isCut) {
      client.resetAndDestroy()
      return
    }
    const server = connect({ host: hostname, port: Number(port), noDelay: true })
    client.on('data', (chunk) => {
      this.sent += chunk.length
    })
    server.on('data', (chunk) => {
      this.received += chunk.length
    })
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from)
      from.pipe(to)
      from.on('error', () => {})
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
    }
  }
}
