import type { IncomingMessage } from 'node:http'

/**
 * The whole body of a request as UTF-8 text.
 *
 * @returns undefined if it is longer than `limit` bytes; the rest is then left unread
 * @throws Error if the client goes away in the middle
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += chunk.length
    if (length > limit) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
