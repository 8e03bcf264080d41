import { existsSync } from 'node:fs'
import { open } from 'node:fs/promises'

/** One request as the API server wrote it down (audit.k8s.io/v1 Event, level Metadata). */
export interface AuditedRequest {
  /** `system:serviceaccount:NAMESPACE:NAME`, or the common name of a certificate. */
  readonly user: string
  readonly verb: string
  /** With its subresource: `serviceaccounts/token`. */
  readonly resource: string
  readonly namespace: string
  readonly name: string
  readonly uri: string
  /** The HTTP status; 0 where there was none. */
  readonly status: number
}

/** What the API server wrote down of the audited users, from a moment on. A watch is written when it begins, and when it ends. */
export class AuditLog {
  readonly #path: string
  #offset = 0

  constructor(path: string) {
    this.#path = path
  }

  /** The requests since this was last asked, one for each that was answered; watches at their begin. */
  async read(): Promise<AuditedRequest[]> {
    if (!existsSync(this.#path)) return []
    const file = await open(this.#path)
    try {
      const { size } = await file.stat()
      const { buffer, bytesRead } = await file.read(
        Buffer.alloc(size - this.#offset),
        0,
        size - this.#offset,
        this.#offset,
      )
      const text = buffer.subarray(0, bytesRead)
      const end = text.lastIndexOf('\n') + 1
      this.#offset += end
      const lines = text.subarray(0, end).toString().split('\n').filter(Boolean)
      return lines
        .map((line) => JSON.parse(line))
        .filter(isCounted)
        .map(decode)
    } finally {
      await file.close()
    }
  }
}

// biome-ignore lint/suspicious/noExplicitAny: as the API server writes it
function isCounted({ stage, verb }: any): boolean {
  return verb === 'watch' ? stage === 'ResponseStarted' : stage === 'ResponseComplete'
}

// biome-ignore lint/suspicious/noExplicitAny: as the API server writes it
function decode(event: any): AuditedRequest {
  const { resource = '', subresource, namespace = '', name = '' } = event.objectRef ?? {}
  return {
    user: event.user?.username ?? '',
    verb: event.verb,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace,
    name,
    uri: event.requestURI,
    status: event.responseStatus?.code ?? 0,
  }
}
