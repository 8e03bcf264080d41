import assert from 'node:assert/strict'
import { ask } from '../../support/ask.ts'
import { eventually } from '../../support/eventually.ts'
import { EMAIL, TOKEN } from '../../support/pod-questions.ts'
import type { World } from '../world.ts'
import { LimitedUser } from './limited-user.ts'
import { operatorView } from './operator-view.ts'

const IPS = { changed: '127.0.22.1', cleared: '127.0.22.2', deleted: '127.0.22.3', late: '127.0.22.4' }

/**
 * ServiceAccounts may be read but neither listed nor watched: a changed annotation, a removed one and a deleted ServiceAccount reach
 * running pods all the same, and one that was never seen is asked for. Returns the number of changes.
 */
export async function readOneByOne(world: World, granted: readonly string[]): Promise<number> {
  const { plane, namespace } = world
  async function pod(name: 'changed' | 'cleared' | 'deleted' | 'late') {
    const email = await world.googleServiceAccount(name)
    await world.createPod({ name, serviceAccount: name, ip: IPS[name] })
    return () => becomes(name, EMAIL, `200 ${email}`)
  }
  const early = [await pod('changed'), await pod('cleared'), await pod('deleted')]
  await using user = await LimitedUser.create(
    plane,
    'reads-one-by-one',
    granted.filter((right) => !/^(list|watch) serviceaccounts$/.test(right)),
  )
  const daemon = await world.startDaemon({ kubeconfig: user.kubeconfig })
  const becomes = (name: keyof typeof IPS, path: string, what: string) =>
    eventually(
      () => ask(daemon.host, path, { ip: IPS[name] }),
      ({ status, body }) => `${status} ${body}`.startsWith(what),
    )
  for (const isItself of early) await isItself()
  await eventually(
    () => operatorView(daemon),
    ({ ready }) => ready,
  )
  const isLate = await pod('late')
  await isLate()

  await world.applyServiceAccount('changed', {
    'iam.gke.io/gcp-service-account': 'other@demo-project.iam.gserviceaccount.com',
  })
  await world.applyServiceAccount('cleared', {})
  await plane.admin.delete(`/api/v1/namespaces/${namespace}/serviceaccounts/deleted`)
  await Promise.all([
    becomes('changed', EMAIL, '200 other@'),
    // The pool's name: no service account.
    becomes('cleared', EMAIL, '200 sandbox'),
    becomes('deleted', TOKEN, '503 '),
  ])
  await isLate()
  const { missing } = await operatorView(daemon)
  assert.deepEqual(missing, ['watch serviceaccounts'])
  return Object.keys(IPS).length
}
