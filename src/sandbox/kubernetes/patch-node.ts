import type { ServiceCall } from '../service.ts'
import type { Collection } from './collection.ts'
import { isRecord } from './is-record.ts'
import { applyJsonPatch, JsonPatchError } from './json-patch.ts'
import type { NodeObject } from './kubernetes-object.ts'
import { StatusError } from './status-error.ts'

const JSON_PATCH = 'application/json-patch+json'

/**
 * Applies a JSON patch to a Node, as the real server does (k8s.io/apiserver, `endpoints/handlers/patch.go`).
 *
 * @throws StatusError 404; 415 for another kind of patch; 400 for what is no patch; 422 if an operation fails, a `test` among
 * them; 409 if the patched Node names another resourceVersion than the stored one
 */
export function patchNode(
  nodes: Collection<NodeObject>,
  name: string,
  { request, body }: Pick<ServiceCall, 'request' | 'body'>,
): NodeObject {
  const type = request.headers['content-type']?.split(';', 1)[0]
  if (type !== JSON_PATCH) {
    const message = `the body of the request was in an unknown format - accepted media types include: ${JSON_PATCH}`
    throw new StatusError(415, 'UnsupportedMediaType', message)
  }
  const node = nodes.get(name)
  if (!node) throw StatusError.notFound('nodes', name)
  const patched = apply(node, body)
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

function apply(node: NodeObject, body: unknown): NodeObject {
  try {
    return applyJsonPatch(node, body) as NodeObject
  } catch (error) {
    if (!(error instanceof JsonPatchError)) throw error
    if (error.malformed) throw StatusError.badRequest(error.message)
    // The real server says no more than this.
    const message = 'the server rejected our request due to an error in our request'
    throw new StatusError(422, 'Invalid', message, {})
  }
}
