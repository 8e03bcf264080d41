import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MetadatadError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import { type ReadinessCheck, readiness } from './readiness.ts'

/** How to make the operator's HTTP server. */
export interface AdminServerOptions {
  readonly checks: readonly ReadinessCheck[]
  /** Brings the gauges up to date; called before each `/metrics`. Must not throw. */
  readonly refresh?: () => void
  readonly metrics: Metrics
  readonly log: Log
}

/** The operator's HTTP server: `/metrics` (Prometheus text), `/healthz`, `/readyz`. */
export interface AdminServer {
  /**
   * @param port 0 takes a free one
   * @throws MetadatadError `LISTEN_FAILED`
   */
  listen(host: string, port: number): Promise<AddressInfo>
  close(): Promise<void>
}

interface Page {
  readonly status: number
  readonly type: string
  readonly body: string
}

/**
 * Makes the server. `/healthz` answers 200 for as long as the process can answer at all; `/readyz` answers 503 with every
 * reason, one a line (JSON with `Accept: application/json`).
 */
export function createAdminServer(options: AdminServerOptions): AdminServer {
  const { metrics, log } = options
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
      default:
        return text(404, 'not found; here are /metrics, /healthz and /readyz')
    }
  }

  function ready(req: IncomingMessage): Page {
    const state = readiness(options.checks)
    const status = state.ready ? 200 : 503
    if (req.headers.accept?.includes('application/json')) {
      return { status, type: 'application/json', body: `${JSON.stringify(state)}\n` }
    }
    return text(status, state.ready ? 'ready' : state.reasons.map((r) => `${r.name}: ${r.reason}`).join('\n'))
  }

  return {
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        const fail = (cause: Error) => {
          reject(
            new MetadatadError(
              'LISTEN_FAILED',
              `the admin address ${host}:${port} can't be listened on: ${cause.message}`,
              {
                fault: 'ours',
                retryable: false,
                publicMessage:
                  'The admin address is in use or not of this node; set listen.admin to another.',
                cause,
              },
            ),
          )
        }
        server.once('error', fail)
        server.listen(port, host, () => {
          server.off('error', fail)
          server.on('error', (err) => log.error({ err }, 'admin server failed'))
          resolve(server.address() as AddressInfo)
        })
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
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
