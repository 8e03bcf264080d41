import type { ServiceCall } from '../service.ts'
import type { Collection } from './collection.ts'
import { isRecord } from './is-record.ts'
import type { NodeObject } from './kubernetes-object.ts'
import { patchedBy } from './patched-by.ts'
import { StatusError } from './status-error.ts'

/**
 * Applies a JSON patch to a Node, as the real server does (k8s.io/apiserver, `endpoints/handlers/patch.go`).
 *
 * @throws StatusError 404; 415 for another kind of patch; 400 for what is no patch; 422 if an operation fails, a `test` among
 * them; 409 if the patched Node names another resourceVersion than the stored one
 */
export function patchNode(
  nodes: Collection<NodeObject>,
  name: string,
  call: Pick<ServiceCall, 'request' | 'body'>,
): NodeObject {
  const node = nodes.get(name)
  if (!node) throw StatusError.notFound('nodes', name)
  const patched = patchedBy(call, node) as NodeObject
  const metadata = isRecord(patched) ? patched.metadata : undefined
  if (!isRecord(metadata) || metadata.name !== name || metadata.uid !== node.metadata.uid) {
    throw StatusError.invalid('Node', name, 'metadata', 'Invalid value: field is immutable')
  }
  if (metadata.resourceVersion !== node.metadata.resourceVersion) {
    throw new StatusError(
      409,
      'Conflict',
      `Operation cannot be fulfilled on nodes "${name}": the object has been modified; please apply your changes to the latest version and try again`,
      { name, kind: 'nodes' },
    )
  }
  return nodes.put(patched)
}
