import type { Readable } from 'node:stream'

/**
 * A whole response body.
 *
 * @returns undefined if it is longer than `maxBytes`; the rest of it is not read
 * @throws what broke the stream
 */
export async function readBody(body: Readable, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  // Leaving the loop early destroys the stream, and with it the connection.
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length)
}
