import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net'
import type { CallerIdentifier, Connection } from '../caller/caller.ts'
import { canonicalAddress } from '../lib/address.ts'
import { MetadatadError } from '../lib/errors.ts'
import { sleep } from '../lib/sleep.ts'
import { ConnectionLimits } from './connection-limits.ts'
import type { Protocol } from './protocol.ts'
import { refuseBadRequest, refuseConnect } from './refuse-bad-request.ts'
import { type Peer, RequestHandler, type RequestHandlerOptions } from './request-handler.ts'

/** What bounds one pod, and all of them. */
export interface ServerLimits {
  /** Open connections in all. Default 10,000. */
  readonly connections?: number | undefined
  /** Open connections from one address. Default 2,048. */
  readonly connectionsPerAddress?: number | undefined
  /** Milliseconds in which a request must arrive whole. Default 10 s. */
  readonly requestTimeoutMs?: number | undefined
}

/**
 * What the server is made of. The protocols are asked in order whose a path is; the first also answers what is
 * nobody's.
 */
export interface MetadataServerOptions extends RequestHandlerOptions {
  readonly identifier: CallerIdentifier
  /** What is answered, and nothing else, on listeners for container credentials. */
  readonly containerCredentials?: readonly [...Protocol[], Protocol] | undefined
  readonly limits?: ServerLimits | undefined
}

/** The server that pods see. */
export interface MetadataServer {
  /**
   * May be called for several addresses. Port 0 picks a free one.
   *
   * @param options.dialled what pods dial to get there (see `Connection.dialled`), beside the listener itself
   * @param options.serves `credentials`: the container credentials alone
   * @throws MetadatadError `LISTEN_FAILED`
   */
  listen(
    host: string,
    port: number,
    options?: {
      readonly dialled?: Connection['dialled']
      readonly serves?: 'instance' | 'credentials'
    },
  ): Promise<{ address: string; port: number }>
  /** Connections that are open. */
  readonly open: number
  /** From now on each answer is its connection's last, and long polls end at once. Connections are still accepted. */
  drain(): void
  /** Closes the listeners, and no connection. Idempotent. */
  stopAccepting(): void
  /**
   * Accepts no more connections and ends long polls at once. For `graceMs` (default 0) requests on open connections are
   * still answered, each as its connection's last; then everything is closed.
   */
  close(graceMs?: number): Promise<void>
}

/** SDKs keep idle connections for 60 to 90 s and do not all repeat a request that met a closing one. */
const KEEP_ALIVE_MS = 120_000
const MAX_HEADER_BYTES = 16 * 1024

/**
 * One HTTP/1.1 server for all protocols and all listen addresses. Who calls is decided by the socket's own addresses
 * and by nothing that is sent. An `Upgrade` header is ignored, as RFC 9110 section 7.8 allows: Java's client offers h2c
 * with every request.
 */
export function createMetadataServer(options: MetadataServerOptions): MetadataServer {
  const { identifier, protocols, clock, log, metrics } = options
  const limits = new ConnectionLimits({
    total: options.limits?.connections ?? 10_000,
    perAddress: options.limits?.connectionsPerAddress ?? 2048,
    metrics,
  })
  const requestTimeout = options.limits?.requestTimeoutMs ?? 10_000
  const handler = new RequestHandler(options)
  const { containerCredentials } = options
  const containers =
    containerCredentials && new RequestHandler({ ...options, protocols: containerCredentials })
  const peers = new WeakMap<Socket, Peer>()
  const servers: Server[] = []

  function onConnection(socket: Socket, dialled: Connection['dialled']): void {
    const remoteAddress = canonicalAddress(socket.remoteAddress ?? '')
    const localAddress = canonicalAddress(socket.localAddress ?? '')
    // Without addresses it was reset between accept and now.
    if (remoteAddress === undefined || localAddress === undefined || !limits.admit(remoteAddress)) {
      socket.destroy()
      return
    }
    socket.once('close', () => limits.release(remoteAddress))
    const connection: Connection = {
      remoteAddress,
      remotePort: socket.remotePort!,
      localAddress,
      localPort: socket.localPort!,
      dialled: [...dialled, { address: localAddress, port: socket.localPort! }],
      openedAt: clock.now(),
    }
    peers.set(socket, { connection, session: identifier.open(connection), pending: 0 })
  }

  function create(dialled: Connection['dialled'], handler: RequestHandler): Server {
    const server = createServer({
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: requestTimeout,
      requestTimeout,
      connectionsCheckingInterval: Math.ceil(requestTimeout / 4),
      maxHeaderSize: MAX_HEADER_BYTES,
      // Refused by the handler instead, with the headers that every answer has.
      requireHostHeader: false,
      optimizeEmptyRequests: true,
    })
    // Node drops headers beyond 2,000 in silence, among them the X-Forwarded-For that a proxy appends last.
    server.maxHeadersCount = 0
    const onRequest = (message: IncomingMessage, response: ServerResponse) => {
      const peer = peers.get(message.socket)
      if (peer === undefined) message.socket.destroy()
      else handler.onRequest(peer, message, response)
    }
    server.on('connection', (socket: Socket) => onConnection(socket, dialled))
    server.on('request', onRequest)
    server.on('checkExpectation', onRequest)
    server.on('connect', (_message, socket) => refuseConnect(socket, clock))
    server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
      refuseBadRequest(socket, error.code, clock),
    )
    return server
  }

  function drain(): void {
    if (handler.closing) return
    handler.closing = true
    if (containers !== undefined) containers.closing = true
    for (const protocol of protocols) protocol.close?.()
    for (const protocol of containerCredentials ?? []) protocol.close?.()
  }

  /** http.Server's own close() ends idle connections at once, and so races the next request of their clients. */
  function closeListener(server: Server): Promise<void> {
    return new Promise((resolve) => NetServer.prototype.close.call(server, () => resolve()))
  }

  return {
    listen(host, port, { dialled = [], serves } = {}) {
      if (serves === 'credentials' && containers === undefined)
        throw new TypeError('nothing serves credentials')
      const server = create(dialled, serves === 'credentials' ? containers! : handler)
      return new Promise((resolve, reject) => {
        const onError = (cause: Error) => reject(listenFailed(host, port, cause))
        server.once('error', onError)
        // Longer than Node's 511: a thousand pods starting together must not lose a SYN, and with it a second.
        server.listen({ host, port, backlog: 4096 }, () => {
          server.off('error', onError)
          server.on('error', (err) => log.error({ err }, 'metadata listener failed'))
          servers.push(server)
          const bound = server.address() as AddressInfo
          resolve({ address: bound.address, port: bound.port })
        })
      })
    },
    get open() {
      return limits.open
    },
    drain,
    stopAccepting() {
      for (const server of servers) void closeListener(server)
    },
    async close(graceMs = 0) {
      drain()
      const grace = new AbortController()
      const all = Promise.all(servers.map(closeListener)).then(() => grace.abort())
      if (graceMs > 0) await sleep(clock, graceMs, grace.signal)
      for (const server of servers) {
        server.closeAllConnections()
        server.close()
      }
      await all
    },
  }
}

function listenFailed(host: string, port: number, cause: unknown): MetadatadError {
  return new MetadatadError('LISTEN_FAILED', `cannot listen on ${host} port ${port}`, {
    retryable: false,
    fault: 'ours',
    publicMessage: 'The metadata daemon could not open its listener.',
    cause,
  })
}
