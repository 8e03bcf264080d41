import type { KubernetesObject, ObjectMeta } from './kubernetes-object.ts'
import type { Resource } from './resources.ts'
import { StatusError } from './status-error.ts'

/** How objects are shown to a client: whole, or only their metadata. */
export interface Representation {
  /** An object by itself, or in a watch event. */
  single(object: KubernetesObject): unknown
  /** An object among the items of a list. */
  item(object: KubernetesObject): unknown
  /** `kind` and `apiVersion` of a list. */
  list(resource: Pick<Resource, 'kind'>): { kind: string; apiVersion: string }
  /** The object of a BOOKMARK event. */
  bookmark(resource: Pick<Resource, 'kind'>, metadata: Partial<ObjectMeta>): unknown
}

const FULL: Representation = {
  single: (object) => object,
  // Go's typed lists leave out the kind and version of every item, and so does the real server.
  item: ({ kind: _kind, apiVersion: _apiVersion, ...rest }) => rest,
  list: ({ kind }) => ({ kind: `${kind}List`, apiVersion: 'v1' }),
  bookmark: ({ kind }, metadata) => ({
    kind,
    apiVersion: 'v1',
    metadata: { ...metadata, creationTimestamp: null },
    ...(kind === 'Pod' && { spec: { containers: null }, status: {} }),
  }),
}

const PARTIAL_KIND = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' }

const PARTIAL: Representation = {
  single: ({ metadata }) => ({ ...PARTIAL_KIND, metadata }),
  item: ({ metadata }) => ({ ...PARTIAL_KIND, metadata }),
  list: () => ({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' }),
  bookmark: (_resource, metadata) => ({
    ...PARTIAL_KIND,
    metadata: { ...metadata, creationTimestamp: null },
  }),
}

/**
 * The representation that an `Accept` header asks for: the first media type that the server has
 * (Kubernetes API concepts, "Alternate representations of resources"; Table is not among them here).
 *
 * @param list whether the answer is a list; a watch's events are single objects
 * @throws StatusError 406
 */
export function chooseRepresentation(accept: string | undefined, list: boolean): Representation {
  for (const range of (accept ?? '*/*').split(',')) {
    const [type = '', ...rest] = range.split(';').map((part) => part.trim())
    if (!['application/json', 'application/*', '*/*', ''].includes(type.toLowerCase())) continue
    const parameters = new Map(rest.map((part) => part.split('=', 2) as [string, string]))
    const as = parameters.get('as')
    if (as === undefined) return FULL
    if (parameters.get('g') !== 'meta.k8s.io' || parameters.get('v') !== 'v1') continue
    if (as === (list ? 'PartialObjectMetadataList' : 'PartialObjectMetadata')) return PARTIAL
    if (as === 'PartialObjectMetadata')
      throw unacceptable('you requested PartialObjectMetadata, but the requested object is a list')
    if (as === 'PartialObjectMetadataList')
      throw unacceptable('you requested PartialObjectMetadataList, but the requested object is not a list')
  }
  throw unacceptable('only the following media types are accepted: application/json')
}

function unacceptable(message: string): StatusError {
  return new StatusError(406, 'NotAcceptable', message)
}
