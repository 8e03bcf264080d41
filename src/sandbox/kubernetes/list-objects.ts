import type { Collection } from './collection.ts'
import type { CollectionView } from './collection-view.ts'
import { parseFieldSelector } from './field-selector.ts'
import type { KubernetesObject } from './kubernetes-object.ts'
import { continueToken, type ListOptions } from './list-options.ts'
import type { Representation } from './representation.ts'
import { StatusError } from './status-error.ts'

/** What to list. */
export interface ListRequest<T extends KubernetesObject> {
  readonly collection: Collection<T>
  readonly namespace: string | undefined
  readonly options: ListOptions
  readonly representation: Representation
  readonly maxPageSize: number
  /** How far behind the answer is. */
  readonly lagMs: number
}

/**
 * One page of a list.
 *
 * @throws StatusError 410 for a version or continue token that is forgotten, 504 for a version not reached yet
 */
export function listObjects<T extends KubernetesObject>(request: ListRequest<T>): unknown {
  const { collection, namespace, options, representation } = request
  const selector = parseFieldSelector(collection.resource, options.fieldSelector)
  const view = chooseView(request)
  const pageSize = Math.min(
    options.limit === 0 ? Number.POSITIVE_INFINITY : options.limit,
    request.maxPageSize,
  )
  const items: unknown[] = []
  let last = ''
  let token: string | undefined
  const scan = { namespace, after: options.continue?.after, indexedValue: selector.indexedValue }
  for (const [key, object] of view.scan(scan)) {
    if (!selector.matches(object)) continue
    if (items.length >= pageSize) {
      token = continueToken(view.resourceVersion, last)
      break
    }
    items.push(representation.item(object))
    last = key
  }
  return {
    ...representation.list(collection.resource),
    metadata: { resourceVersion: String(view.resourceVersion), ...(token && { continue: token }) },
    items,
  }
}

function chooseView<T extends KubernetesObject>({
  collection,
  options,
  lagMs,
}: ListRequest<T>): CollectionView<T> {
  if (options.continue) {
    const view = collection.viewOf(options.continue.resourceVersion)
    if (view) return view
    throw StatusError.expired(
      'the continue token is too old to go on with a consistent list; start a new list',
    )
  }
  const wanted = options.resourceVersion ?? 0
  // Without a match rule, a limit makes the version exact (API concepts, "resourceVersion in metadata").
  const exact =
    options.resourceVersionMatch === 'Exact' || (!options.resourceVersionMatch && options.limit > 0)
  if (wanted > 0 && exact) {
    const view = collection.viewOf(wanted)
    if (!view) throw StatusError.expired('The resourceVersion for the provided list is too old.')
    requireReached(view.resourceVersion, collection.viewBefore(0).resourceVersion)
    return view
  }
  const view = collection.viewBefore(lagMs)
  requireReached(wanted, view.resourceVersion)
  return view
}

/** @throws StatusError 504 if the version asked for has not been reached */
export function requireReached(wanted: number, current: number): void {
  if (wanted <= current) return
  const message = 'Too large resource version'
  throw new StatusError(504, 'Timeout', `Timeout: ${message}: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message }],
    retryAfterSeconds: 1,
  })
}
