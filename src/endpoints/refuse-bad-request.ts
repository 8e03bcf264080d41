import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '../lib/clock.ts'

/** How long a refused client may take to read the refusal and hang up. */
const LINGER_MS = 1000

const REASONS: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The request line and headers are longer than 16 KiB.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'The chunk extensions are too long.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request took too long to arrive.'],
}

/**
 * Answers what never became a request, and ends the connection: HTTP is plain enough for a client to see why.
 *
 * @param code of the parser's error; anything unknown is a 400
 */
export function refuseBadRequest(socket: Duplex, code: string | undefined, clock: Clock): void {
  const [status, reason] = REASONS[code ?? ''] ?? [400, 'The request is not valid HTTP/1.1.']
  endWith(socket, status, reason, [], clock)
}

/** Answers CONNECT, which Node hands over as a bare socket. */
export function refuseConnect(socket: Duplex, clock: Clock): void {
  endWith(socket, 405, 'This server is not a proxy.', ['Allow: GET, HEAD'], clock)
}

function endWith(
  socket: Duplex,
  status: number,
  reason: string,
  headers: readonly string[],
  clock: Clock,
): void {
  // Refused, or answered for the last time, already: the parser reports again for every chunk that follows an error.
  if (!socket.writable) return
  // A socket that Node hands over has no listener left, and an error that nobody hears ends the process.
  socket.on('error', () => {})
  const body = `${reason}\n`
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Metadata-Flavor: Google',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${body.length}`,
    ...headers,
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  // Closing with unread bytes in the receive buffer sends RST, which would overtake the refusal: read on for a moment.
  socket.resume()
  const timer = clock.after(LINGER_MS, () => socket.destroy())
  socket.once('close', () => timer.cancel())
}
