import type { IncomingMessage } from 'node:http'

/** More than any client sends along with a request for metadata, none of which has a body. */
const MAX_BODY_BYTES = 64 * 1024

/**
 * Reads a request's body away, so that the connection can serve the next request, and breaks the connection if it is
 * longer than 64 KiB.
 */
export function discardBody(message: IncomingMessage): void {
  let bytes = 0
  message.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) message.socket.destroy()
  })
  // A client that breaks off in the middle of a body is no news.
  message.on('error', () => {})
}
