import type { KubernetesClient } from './client.ts'
import { elements, fields } from './json-fields.ts'

/**
 * A Node's `spec.taints` (core/v1 Taint), in order and as they are, whatever fields they have.
 *
 * @throws MetadatadError `KUBERNETES_*`
 */
export async function readTaints(
  client: KubernetesClient,
  name: string,
  signal: AbortSignal,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const path = `/api/v1/nodes/${encodeURIComponent(name)}`
  const node = await client.request({ verb: 'get', resource: 'nodes', path, signal })
  return elements(fields(fields(node).spec).taints).map(fields)
}
