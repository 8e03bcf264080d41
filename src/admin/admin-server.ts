import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Clock, systemClock } from '../lib/clock.ts'
import { MetadatadError } from '../lib/errors.ts'
import type { InterceptionReport } from '../lib/interception-report.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import { sleep } from '../lib/sleep.ts'
import { interceptionPage } from './interception-page.ts'
import { type ReadinessCheck, readiness } from './readiness.ts'

/** How to make the operator's HTTP server. */
export interface AdminServerOptions {
  readonly checks: readonly ReadinessCheck[]
  /** Brings the gauges up to date; called before each `/metrics`. Must not throw. */
  readonly refresh?: () => void
  /** How pods' packets arrive, for `/interception`; 404 without it. Must not throw. */
  readonly interception?: (() => InterceptionReport) | undefined
  /** The machine's own unless a test says otherwise. */
  readonly clock?: Clock
  readonly metrics: Metrics
  readonly log: Log
}

/** The operator's HTTP server: `/metrics` (Prometheus text), `/healthz`, `/readyz`, `/interception` (JSON). */
export interface AdminServer {
  /**
   * @param port 0 takes a free one
   * @throws MetadatadError `LISTEN_FAILED`
   */
  listen(host: string, port: number): Promise<AddressInfo>
  /**
   * As `listen`, but while another process has the address it is tried again every second in the background, until it is
   * free, `signal` is aborted or the server is closed.
   *
   * @returns undefined if another process has it now
   * @throws MetadatadError `LISTEN_FAILED` for any other reason
   */
  listenWhenFree(host: string, port: number, signal: AbortSignal): Promise<AddressInfo | undefined>
  close(): Promise<void>
}

const RETRY_MS = 1_000

interface Page {
  readonly status: number
  readonly type: string
  readonly body: string
}

/**
 * Makes the server. `/healthz` answers 200 for as long as the process can answer at all; `/readyz` answers 503 with every
 * reason, and with either status every warning, one a line (JSON with `Accept: application/json`).
 */
export function createAdminServer(options: AdminServerOptions): AdminServer {
  const { metrics, log, clock = systemClock } = options
  let closed = false
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 5_000, maxHeaderSize: 8_192 },
    (req, res) => {
      page(req).then(
        (answer) => send(req, res, answer),
        (err) => {
          log.error({ err }, 'admin page failed')
          send(req, res, text(500, 'internal error'))
        },
      )
    },
  )
  server.maxConnections = 64

  async function page(req: IncomingMessage): Promise<Page> {
    if (req.method !== 'GET' && req.method !== 'HEAD') return text(405, 'only GET and HEAD are answered here')
    switch (req.url?.split('?', 1)[0]) {
      case '/metrics':
        options.refresh?.()
        metrics.ready.set(readiness(options.checks).ready ? 1 : 0)
        return { status: 200, type: metrics.registry.contentType, body: await metrics.registry.metrics() }
      case '/healthz':
        return text(200, 'ok')
      case '/readyz':
        return ready(req)
      case '/interception':
        return interception()
      default:
        return text(404, 'not found; here are /metrics, /healthz, /readyz and /interception')
    }
  }

  function interception(): Page {
    const report = options.interception?.()
    if (report === undefined) return text(404, 'nothing is known of the interception')
    return { status: 200, type: 'application/json', body: interceptionPage(report, clock.now()) }
  }

  function ready(req: IncomingMessage): Page {
    const state = readiness(options.checks)
    const status = state.ready ? 200 : 503
    if (req.headers.accept?.includes('application/json')) {
      return { status, type: 'application/json', body: `${JSON.stringify(state)}\n` }
    }
    const lines = [
      ...(state.ready ? ['ready'] : state.reasons.map(({ name, reason }) => `${name}: ${reason}`)),
      ...state.warnings.map(({ name, warning }) => `warning: ${name}: ${warning}`),
    ]
    return text(status, lines.join('\n'))
  }

  function listen(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      const fail = (cause: Error) => {
        server.off('listening', done)
        reject(listenFailed(host, port, cause))
      }
      const done = () => {
        server.off('error', fail)
        server.on('error', (err) => log.error({ err }, 'admin server failed'))
        resolve(server.address() as AddressInfo)
      }
      server.once('error', fail)
      server.once('listening', done)
      server.listen(port, host)
    })
  }

  async function takeOver(host: string, port: number, signal: AbortSignal): Promise<void> {
    let told = false
    for (;;) {
      await sleep(clock, RETRY_MS, signal)
      if (signal.aborted || closed) return
      try {
        log.info({ admin: await listen(host, port) }, 'admin address taken over')
        return
      } catch (err) {
        if (!inUse(err) && !told) log.warn({ err }, 'admin address not taken over yet')
        told ||= !inUse(err)
      }
    }
  }

  return {
    listen,
    async listenWhenFree(host, port, signal) {
      try {
        return await listen(host, port)
      } catch (err) {
        if (!inUse(err)) throw err
        log.info({ host, port }, 'admin address in use, waiting for it')
        void takeOver(host, port, signal)
        return undefined
      }
    },
    close: () =>
      new Promise((resolve) => {
        closed = true
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listenFailed(host: string, port: number, cause: Error): MetadatadError {
  return new MetadatadError(
    'LISTEN_FAILED',
    `the admin address ${host}:${port} can't be listened on: ${cause.message}`,
    {
      fault: 'ours',
      retryable: false,
      publicMessage: 'The admin address is in use or not of this node; set listen.admin to another.',
      cause,
    },
  )
}

/** Another process listens there (`EADDRINUSE`). */
function inUse(err: unknown): boolean {
  const cause = err instanceof MetadatadError ? err.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE'
}

function text(status: number, sentence: string): Page {
  return { status, type: 'text/plain; charset=utf-8', body: `${sentence}\n` }
}

function send(req: IncomingMessage, res: ServerResponse, { status, type, body }: Page): void {
  res.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  })
  res.end(req.method === 'HEAD' ? undefined : body)
}
