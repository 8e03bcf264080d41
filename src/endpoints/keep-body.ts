import type { IncomingMessage } from 'node:http'

/**
 * A request's body as UTF-8 text. To be called in the turn in which the request is handled: the server reads bodies away.
 *
 * @returns undefined if it is longer than `maxBytes`, was broken off, or has begun to be read away; never rejects
 */
export function keepBody(message: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  if (message.readableDidRead || message.readableEnded || message.destroyed) return Promise.resolve(undefined)
  return new Promise((resolve) => {
    let chunks: Buffer[] = []
    let bytes = 0
    message.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= maxBytes) chunks.push(chunk)
      else chunks = []
    })
    message.once('end', () => resolve(bytes <= maxBytes ? Buffer.concat(chunks).toString('utf8') : undefined))
    message.once('close', () => resolve(undefined))
  })
}
