import assert from 'node:assert/strict'
import { MANIFESTS, render, the } from '../../manifests/support.ts'
import type { World } from '../world.ts'
import { reviewedRights } from './reviewed-rights.ts'
import { serviceAccountToken } from './service-account-token.ts'

/**
 * What the API server says that the daemon's ServiceAccount may do is what the manifests say and what every ServiceAccount may, in
 * any namespace; that of the component probe may do nothing more than every one. Returns the number of rights compared.
 */
export async function nothingBeyond(
  { plane, namespace }: World,
  granted: readonly string[],
): Promise<number> {
  const { admin } = plane
  await admin.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'plain', namespace } })
  const probe = the(render(`${MANIFESTS}/examples/cluster`), 'ServiceAccount', 'metadatad-probe')
  await admin.apply(probe)
  await using users = new AsyncDisposableStack()
  const as = async (of: string, name: string) =>
    users.use(plane.withToken(await serviceAccountToken(admin, of, name)))
  const plain = await as(namespace, 'plain')
  const daemon = await as('metadatad', 'metadatad')
  const prober = await as(probe.metadata.namespace!, probe.metadata.name)
  for (const where of ['metadatad', 'kube-system', namespace]) {
    const everybodys = await reviewedRights(plain, where)
    const daemons = await reviewedRights(daemon, where)
    assert.deepEqual(daemons, new Set([...everybodys, ...granted]), `in ${where}`)
    assert.deepEqual(await reviewedRights(prober, where), everybodys, `of the probe, in ${where}`)
  }
  return 3 * granted.length
}
