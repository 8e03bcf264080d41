import type { KubernetesClient } from './client.ts'

/** One operation of a JSON patch (RFC 6902 section 4), as far as the daemon needs them. */
export type JsonPatchOperation =
  | { readonly op: 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }

/**
 * Changes a Node by a JSON patch: all operations or none.
 *
 * @throws MetadatadError `KUBERNETES_*`; `KUBERNETES_INVALID` (422) if a `test` fails, `KUBERNETES_CONFLICT` if somebody else
 *   changed the Node at the same time
 */
export async function patchNode(
  client: KubernetesClient,
  name: string,
  operations: readonly JsonPatchOperation[],
  signal: AbortSignal,
): Promise<void> {
  const path = `/api/v1/nodes/${encodeURIComponent(name)}`
  await client.request({ verb: 'patch', resource: 'nodes', path, body: operations, signal })
}
