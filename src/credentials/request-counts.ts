import type { Metrics } from '../lib/metrics.ts'

/** How a request for a credential went (`metadatad_credential_requests_total`). */
export type RequestResult = 'hit' | 'joined' | 'miss' | 'stale' | 'refused'

/** One counter for each result. */
export type RequestCounts = Readonly<Record<RequestResult, { inc(): void }>>

/** The counters of a kind of credential, each resolved once: looking labels up again costs more than the cache itself. */
export function createRequestCounts(metrics: Metrics): (kind: string) => RequestCounts {
  const kinds = new Map<string, RequestCounts>()
  return (kind) => {
    let counts = kinds.get(kind)
    if (counts === undefined) {
      const of = (result: RequestResult) => metrics.credentialRequests.labels({ kind, result })
      counts = {
        hit: of('hit'),
        joined: of('joined'),
        miss: of('miss'),
        stale: of('stale'),
        refused: of('refused'),
      }
      kinds.set(kind, counts)
    }
    return counts
  }
}
