/** The API groups that the sandbox serves, each in version v1, with their resources and whether these are namespaced. */
const GROUPS: Readonly<Record<string, Readonly<Record<string, boolean>>>> = {
  '': {
    pods: true,
    serviceaccounts: true,
    'serviceaccounts/token': true,
    events: true,
    nodes: false,
    namespaces: false,
  },
  'events.k8s.io': { events: true },
  'authentication.k8s.io': { tokenreviews: false },
  'authorization.k8s.io': { selfsubjectaccessreviews: false },
}

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** What a request of the resource API is about. */
export interface Route {
  readonly verb: string
  readonly group: string
  /** With its subresource: `serviceaccounts/token`. */
  readonly resource: string
  readonly namespace: string | undefined
  readonly name: string | undefined
}

/**
 * Reads a request's path and query (Kubernetes API concepts, "Resource URIs").
 *
 * @returns undefined for a path that is no resource of the sandbox
 */
export function parseRoute(method: string, url: URL): Route | undefined {
  let segments: string[]
  try {
    segments = url.pathname.slice(1).split('/').map(decodeURIComponent)
  } catch {
    return undefined
  }
  const [root, ...rest] = segments
  const group = root === 'api' ? '' : root === 'apis' ? rest.shift() : undefined
  if (group === undefined || !Object.hasOwn(GROUPS, group) || rest.shift() !== 'v1') return undefined
  const namespace = rest[0] === 'namespaces' && rest.length > 2 ? rest.splice(0, 2)[1] : undefined
  const [kind = '', name, subresource, ...more] = rest
  if (more.length > 0 || name === '' || namespace === '') return undefined
  const resource = subresource === undefined ? kind : `${kind}/${subresource}`
  const resources = GROUPS[group]!
  if (!Object.hasOwn(resources, resource)) return undefined
  if (namespace !== undefined && !resources[resource]) return undefined
  if (namespace === undefined && name !== undefined && resources[resource]) return undefined
  return { verb: verbOf(method, name, url.searchParams), group, resource, namespace, name }
}

function verbOf(method: string, name: string | undefined, query: URLSearchParams): string {
  if (method !== 'GET' && method !== 'HEAD') return VERBS[method] ?? 'other'
  if (name !== undefined) return 'get'
  return ['true', '1'].includes(query.get('watch') ?? '') ? 'watch' : 'list'
}
