import { request } from 'node:http'

/** What came of one HTTP request. */
export interface HttpExchange {
  /** Something accepted the connection. */
  readonly connected: boolean
  /** undefined if no complete answer came. */
  readonly status: number | undefined
  /** The `Server` header of the answer. */
  readonly server: string
  /** The first 16 KiB of the body at most, as UTF-8. */
  readonly body: string
  /** What ended it before an answer was complete; none if that was the signal. */
  readonly errorCode: string | undefined
}

const MAX_BODY_BYTES = 16 * 1024

/** One HTTP request on a connection of its own, until its answer is complete or the signal is aborted. Never rejects. */
export function httpExchange(
  target: { readonly address: string; readonly port: number; readonly path: string; readonly post?: string },
  signal: AbortSignal,
): Promise<HttpExchange> {
  return new Promise((resolve) => {
    let connected = false
    let status: number | undefined
    let server = ''
    let body = ''
    const finish = (complete: boolean, errorCode?: string) => {
      resolve({ connected, status: complete ? status : undefined, server, body, errorCode })
      call.destroy()
    }
    const call = request({
      host: target.address,
      port: target.port,
      path: target.path,
      method: target.post === undefined ? 'GET' : 'POST',
      headers: {
        'Metadata-Flavor': 'Google',
        ...(target.post !== undefined && { 'Content-Type': 'application/json' }),
      },
      agent: false,
      signal,
    })
    call.on('socket', (socket) =>
      socket.once('connect', () => {
        connected = true
      }),
    )
    call.on('error', (err: NodeJS.ErrnoException) => finish(false, signal.aborted ? undefined : err.code))
    call.on('response', (answer) => {
      status = answer.statusCode
      server = String(answer.headers.server)
      answer.setEncoding('utf8').on('data', (text: string) => {
        body += text
        if (body.length > MAX_BODY_BYTES) {
          body = body.slice(0, MAX_BODY_BYTES)
          finish(true)
        }
      })
      answer.on('end', () => finish(true))
      answer.on('error', (err: NodeJS.ErrnoException) => finish(false, err.code))
    })
    call.end(target.post)
  })
}
