import type { Clock } from '../lib/clock.ts'
import { deadlineIn } from '../lib/deadline.ts'
import type { KubernetesClient, KubernetesRequest } from './client.ts'
import { fields, text } from './json-fields.ts'
import { kubernetesError } from './status-error.ts'

/** The page size of client-go's own informers. */
const PAGE_SIZE = 500
const PAGE_TIMEOUT_MS = 30_000

/** One page of a list. */
export interface ListPage {
  readonly items: readonly unknown[]
  /** Of the whole list: the state that every page is a part of. */
  readonly resourceVersion: string
}

/** What is listed; `query` holds selectors only. */
export interface ListPagesOptions {
  readonly client: KubernetesClient
  readonly request: KubernetesRequest
  readonly clock: Clock
}

/**
 * Every object there is, page by page, as of one moment not before the call: with no `resourceVersion` parameter the API
 * server may not answer from an old cache (Kubernetes API concepts, "Resource versions").
 *
 * @throws MetadatadError `KUBERNETES_*`; `KUBERNETES_EXPIRED` if the server forgot that moment between two pages, and all
 * seen so far must be thrown away
 */
export async function* listPages(options: ListPagesOptions): AsyncGenerator<ListPage, void, undefined> {
  const { client, request, clock } = options
  let next: string | undefined
  do {
    using deadline = deadlineIn(clock, PAGE_TIMEOUT_MS, request.signal)
    const query = {
      ...request.query,
      limit: String(PAGE_SIZE),
      ...(next === undefined ? {} : { continue: next }),
    }
    const page = fields(await client.request({ ...request, query, signal: deadline.signal }))
    const metadata = fields(page.metadata)
    const resourceVersion = text(metadata.resourceVersion)
    const items = page.items ?? []
    // An answer that is no list must never pass for an empty one, or everything known would be forgotten.
    if (resourceVersion === undefined || !Array.isArray(items)) {
      throw kubernetesError('KUBERNETES_INVALID', request, 'the answer is no list', { retryable: true })
    }
    next = text(metadata.continue)
    yield { items, resourceVersion }
  } while (next !== undefined)
}
