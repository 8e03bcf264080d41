import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { MemoryNamespace } from '../../caller/proof/memory-host.ts'
import type { Answered } from '../../support/ask.ts'

/** How to ask once. */
export interface Question {
  readonly method?: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

/**
 * The process of one pod: what it opens is a connection from its address, and a socket in its network namespace for as long
 * as that connection is open.
 */
export class PodClient {
  readonly #host: { readonly address: string; readonly port: number }
  readonly #ip: string
  readonly #namespace: MemoryNamespace
  readonly #sockets = new Set<Socket>()
  /** One connection that is kept between requests, as SDKs' pools do. */
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  #ended = false

  /** @param host `host:port` of the daemon */
  constructor(host: string, ip: string, namespace: MemoryNamespace) {
    const [address = '', port = ''] = host.split(':')
    this.#host = { address, port: Number(port) }
    this.#ip = ip
    this.#namespace = namespace
    this.#agent.createConnection = () => this.#connect()
  }

  get ended(): boolean {
    return this.#ended
  }

  /**
   * Sends a question, on the connection that is kept or on one of its own.
   *
   * @throws Error if the connection breaks
   */
  ask({ method = 'GET', path, headers }: Question, how: 'kept' | 'new'): Promise<Answered> {
    const connection = how === 'kept' ? { agent: this.#agent } : { createConnection: () => this.#connect() }
    return new Promise((resolve, reject) => {
      const call = request(
        { ...connection, host: this.#host.address, port: this.#host.port, method, path, headers },
        (answer) => {
          let body = ''
          answer.setEncoding('utf8').on('data', (text: string) => {
            body += text
          })
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }))
          answer.on('error', reject)
        },
      )
      call.on('error', reject)
      call.end()
    })
  }

  /** The process ends, and with it every socket of it. */
  end(): void {
    this.#ended = true
    this.#agent.destroy()
    for (const socket of this.#sockets) socket.destroy()
  }

  #connect(): Socket {
    const { address: host, port } = this.#host
    const socket = connect({ host, port, localAddress: this.#ip })
    this.#sockets.add(socket)
    // It is bound by then, and the kernel shows a socket before the other side hears of it.
    process.nextTick(() => {
      const { localPort } = socket
      if (localPort === undefined) return
      const row = { local: { address: this.#ip, port: localPort }, remote: this.#host }
      this.#namespace.sockets.add(row)
      socket.once('close', () => this.#namespace.sockets.delete(row))
    })
    socket.once('close', () => this.#sockets.delete(socket))
    return socket
  }
}
