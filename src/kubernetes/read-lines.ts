import type { Readable } from 'node:stream'
import type { KubernetesRequest } from './client.ts'
import { codedError } from './coded-error.ts'
import { kubernetesError } from './status-error.ts'

/** Longer than any object the API server stores (etcd refuses requests over 1.5 MiB), with room for JSON escapes. */
const MAX_LINE_BYTES = 8 * 1024 * 1024
const NEWLINE = 0x0a

/**
 * The lines of a watch's response body, each parsed as JSON. Lines are cut before they are decoded, so that a character
 * split between two chunks stays whole. Leaving the iteration, or the request's signal, ends the response.
 *
 * @throws MetadatadError `KUBERNETES_UNAVAILABLE` if the connection breaks or the signal is aborted, `KUBERNETES_INVALID`
 * for a line that is too long or no JSON
 */
export async function* readLines(
  body: Readable,
  request: KubernetesRequest,
): AsyncGenerator<unknown, void, undefined> {
  let pending: Buffer[] = []
  let pendingBytes = 0
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      let start = 0
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        pending.push(chunk.subarray(start, end))
        pendingBytes += end - start
        start = end + 1
        const line = takeLine()
        if (line !== '') yield parseLine(line, request)
        if (request.signal.aborted) throw request.signal.reason
      }
      if (start < chunk.length) {
        pending.push(chunk.subarray(start))
        pendingBytes += chunk.length - start
        checkLength()
      }
    }
  } catch (thrown) {
    throw codedError(thrown, request)
  } finally {
    body.destroy()
  }
  if (pendingBytes > 0)
    throw kubernetesError('KUBERNETES_UNAVAILABLE', request, 'the watch ended within a line')

  function takeLine(): string {
    checkLength()
    const line = (pending.length === 1 ? pending[0]! : Buffer.concat(pending, pendingBytes)).toString('utf8')
    pending = []
    pendingBytes = 0
    return line
  }

  function checkLength(): void {
    if (pendingBytes <= MAX_LINE_BYTES) return
    throw kubernetesError('KUBERNETES_INVALID', request, `a line is longer than ${MAX_LINE_BYTES} bytes`)
  }
}

function parseLine(line: string, request: KubernetesRequest): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw kubernetesError('KUBERNETES_INVALID', request, 'a line is no JSON', { retryable: true })
  }
}
