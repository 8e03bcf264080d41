import { sandboxMember } from '../../../src/sandbox/sandbox-config.ts'
import { gsa } from '../../support/pod-questions.ts'
import type { World } from '../world.ts'
import { realisticPod } from './realistic-pod.ts'
import { SIZE } from './size.ts'

const CONNECTIONS = 32
const STATUS = { phase: 'Running', hostIP: '127.0.0.1', hostIPs: [{ ip: '127.0.0.1' }] }

/** The address of the node's pod with this number, from 0. */
export function addressOf(index: number): string {
  return `127.0.24.${index + 1}`
}

/** Fills the world with what {@link SIZE} says. Pod `p-I` of the node is `sa-I`, and the Google service account `big-I`. */
export async function populate({ plane: { admin }, clouds, namespace, node }: World): Promise<void> {
  const base = `/api/v1/namespaces/${namespace}`
  await inParallel(SIZE.serviceAccounts, (i) => {
    const annotations = i < SIZE.annotated ? { 'iam.gke.io/gcp-service-account': gsa(`big-${i}`) } : {}
    const labels = { 'app.kubernetes.io/name': `sa-${i}`, 'app.kubernetes.io/managed-by': 'Helm' }
    if (i < SIZE.nodePods) clouds.google.grant(gsa(`big-${i}`), sandboxMember(namespace, `sa-${i}`))
    return admin.create(`${base}/serviceaccounts`, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: `sa-${i}`, labels, annotations },
    })
  })
  await inParallel(SIZE.pods, async (i) => {
    const on = i < SIZE.nodePods ? node : `${node}-${1 + (i % (SIZE.nodes - 1))}`
    await admin.create(`${base}/pods`, realisticPod(`p-${i}`, `sa-${i}`, on))
    if (i >= SIZE.nodePods) return
    const status = { ...STATUS, podIP: addressOf(i), podIPs: [{ ip: addressOf(i) }] }
    await admin.merge(`${base}/pods/p-${i}/status`, { status })
  })
}

async function inParallel(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (next < count) await work(next++)
    }),
  )
}
