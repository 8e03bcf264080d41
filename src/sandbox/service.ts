import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { sleep } from '../lib/sleep.ts'
import type { CertificateAuthority } from './certificate-authority.ts'
import type { Controls } from './controls.ts'
import { parseBody } from './parse-body.ts'
import { readBody } from './read-body.ts'
import { sendJson } from './send-json.ts'

const MAX_BODY_BYTES = 1 << 20

/** One request that a service has to answer. */
export interface ServiceCall {
  /** The counter's name. */
  readonly name: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  /** The body, parsed as its content type says; undefined where there is none or it can't be parsed. */
  readonly body: unknown
  /** The body as it came. */
  readonly text: string
}

/** How to start a {@link Service}. */
export interface ServiceOptions {
  readonly name: string
  readonly ca: CertificateAuthority
  readonly clock: Clock
  readonly log: Log
  readonly controls: Controls
  /** Names a call for the counters, out of a fixed set. `body` is the parsed one. */
  readonly callName: (method: string, url: URL, body: unknown) => string
  /** Answers. What it throws becomes a 500. */
  readonly handler: (call: ServiceCall) => void | Promise<void>
  /** The address to listen on, by which clients know it: 127.0.0.1 unless said. */
  readonly host?: string | undefined
  /** Ask for (never insist on) client certificates of the sandbox's authority. */
  readonly clientCertificates?: boolean
}

/** A running HTTPS server. */
export interface Service {
  /** `https://HOST:PORT`. */
  readonly url: string
  /** While true, connections are reset as soon as they are accepted. Setting it resets the open ones. */
  outage: boolean
  /** Sends a TCP reset on the connection of this request, whatever it is in the middle of. */
  reset(request: IncomingMessage): void
  /** Stops listening and ends every connection. */
  close(): Promise<void>
}

/** Starts an HTTPS server on a free port that obeys `controls`. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { ca, clock, log, controls, host = '127.0.0.1' } = options
  const server = createServer({
    ...(await ca.issueServer([host])),
    ca: ca.pem,
    requestCert: options.clientCertificates ?? false,
    rejectUnauthorized: false,
    keepAliveTimeout: 120_000,
  })
  // A TLS socket can't send a reset; the TCP socket under it is found by the client's port.
  const sockets = new Map<number, Socket>()
  let outage = false

  server.on('connection', (socket: Socket) => {
    const port = socket.remotePort
    socket.on('error', () => {})
    if (outage || port === undefined) return void socket.resetAndDestroy()
    sockets.set(port, socket)
    socket.once('close', () => {
      if (sockets.get(port) === socket) sockets.delete(port)
    })
  })
  server.on('tlsClientError', () => {})
  server.on('request', (request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.destroyed) return
      log.error({ err: error, service: options.name }, 'sandbox service failed')
      if (response.headersSent) response.destroy()
      else sendJson(response, 500, { error: 'internal error' })
    })
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? '', 'https://localhost')
    if (!url) return sendJson(response, 400, { error: 'malformed request target' })
    const text = await readBody(request, MAX_BODY_BYTES)
    const body = text === undefined ? undefined : parseBody(request.headers['content-type'], text)
    const name = options.callName(request.method ?? 'GET', url, body)
    controls.count(name)
    if (text === undefined)
      return sendJson(response, 413, { error: 'body too large' }, { connection: 'close' })
    const injected = controls.intercept?.(name, body)
    if (injected === 'hang') return
    if (controls.latencyMs > 0) await sleep(clock, controls.latencyMs)
    if (response.destroyed) return
    if (injected === 'reset') return reset(request)
    if (injected) return sendJson(response, injected.status, injected.body, injected.headers)
    await options.handler({ name, request, response, url, body, text })
  }

  function reset(request: IncomingMessage): void {
    sockets.get(request.socket.remotePort ?? -1)?.resetAndDestroy()
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, resolve)
  })
  const { port } = server.address() as AddressInfo

  return {
    url: `https://${host}:${port}`,
    reset,
    get outage() {
      return outage
    },
    set outage(value) {
      outage = value
      if (value) for (const socket of sockets.values()) socket.resetAndDestroy()
    },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets.values()) socket.destroy()
      return closed
    },
  }
}
