import type { ReadinessCheck } from '../admin/readiness.ts'
import { LiveReader } from '../caller/live-reader.ts'
import { PodIndex } from '../caller/pod-index.ts'
import { ServiceAccountIndex } from '../caller/service-account-index.ts'
import type { KubernetesClient } from '../kubernetes/client.ts'
import { decodeNode } from '../kubernetes/decode-node.ts'
import { decodePod } from '../kubernetes/decode-pod.ts'
import { decodeServiceAccount } from '../kubernetes/decode-service-account.ts'
import { listNodePods } from '../kubernetes/list-node-pods.ts'
import { readServiceAccount } from '../kubernetes/read-service-account.ts'
import { createReflector } from '../kubernetes/reflector.ts'
import { RIGHTS, type Right } from '../kubernetes/rights.ts'
import type { Node, Pod, ServiceAccount } from '../kubernetes/types.ts'
import type { Clock } from '../lib/clock.ts'
import { deadlineIn } from '../lib/deadline.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import { nodeStore } from './node-store.ts'
import { readUsedServiceAccounts } from './read-used-service-accounts.ts'
import { staleness } from './staleness.ts'

/** What the view of the cluster is made with. */
export interface ClusterOptions {
  readonly client: KubernetesClient
  readonly nodeName: string
  /** Called with every new state of the Node. Must not throw. */
  readonly nodeSeen: (node: Node) => void
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** The cluster as this node has to know it: its own pods, ServiceAccounts, and the Node object; watched, or read live. */
export interface Cluster {
  readonly pods: PodIndex
  readonly serviceAccounts: ServiceAccountIndex
  readonly reader: LiveReader
  /** When the API server last vouched for the pods: see `Reflector.confirmedAt`. */
  readonly podsConfirmedAt: () => number
  readonly serviceAccountsSynced: () => boolean
  /** A pod by its UID, also one that a live read has found and the watch does not show yet. */
  podByUid(uid: string): Pod | undefined
  readonly checks: readonly ReadinessCheck[]
  /** Brings the gauges of what is known up to date. */
  report(): void
  /** Begins to watch; does not wait. `synced` is called once when the first complete lists have arrived. */
  start(synced: () => void): void
  stop(): Promise<void>
}

const LIVE_READ_MS = 5_000
const SERVICE_ACCOUNT_READ_MS = 3_000
const JUST_READ_MS = 30_000

/** Makes the view of the cluster: see {@link Cluster}. */
export function createCluster(options: ClusterOptions): Cluster {
  const { client, nodeName, clock, log, metrics } = options
  const stopping = new AbortController()

  const pods = new PodIndex()
  async function read(namespace: string, name: string): Promise<ServiceAccount | undefined> {
    using deadline = deadlineIn(clock, SERVICE_ACCOUNT_READ_MS, stopping.signal)
    return await readServiceAccount(client, namespace, name, deadline.signal)
  }
  const serviceAccounts = new ServiceAccountIndex({ clock, read })
  const reader = new LiveReader({
    clock,
    metrics,
    list: async () => {
      using deadline = deadlineIn(clock, LIVE_READ_MS, stopping.signal)
      return await listNodePods(client, nodeName, clock, deadline.signal)
    },
  })

  function justRead(): readonly Pod[] {
    const { last } = reader
    return last !== undefined && Math.abs(clock.now() - last.askedAt) < JUST_READ_MS ? last.pods : []
  }

  const seen = new Map<string, Pod>()
  pods.listen({
    podSeen: (pod) => seen.set(pod.uid, pod),
    podGone: (pod) => seen.delete(pod.uid),
  })
  /** Those that pods use which the watch shows, or a live read has just found. */
  const usedServiceAccounts = () =>
    new Set(
      [...seen.values(), ...justRead()]
        .filter(({ serviceAccountName }) => serviceAccountName !== '')
        .map(({ namespace, serviceAccountName }) => `${namespace}/${serviceAccountName}`),
    )

  const watch = { client, clock, log, metrics }
  const podReflector = createReflector({
    ...watch,
    resource: 'pods',
    path: '/api/v1/pods',
    fieldSelector: `spec.nodeName=${nodeName}`,
    decode: decodePod,
    store: pods,
  })
  const serviceAccountReflector = createReflector({
    ...watch,
    resource: 'serviceaccounts',
    path: '/api/v1/serviceaccounts',
    metadataOnly: true,
    decode: decodeServiceAccount,
    store: serviceAccounts,
    ifForbidden: (signal) =>
      readUsedServiceAccounts({ index: serviceAccounts, used: usedServiceAccounts(), read, clock, signal }),
  })
  const nodeReflector = createReflector({
    ...watch,
    resource: 'nodes',
    path: '/api/v1/nodes',
    fieldSelector: `metadata.name=${nodeName}`,
    decode: decodeNode,
    store: nodeStore(options.nodeSeen),
  })
  const reflectors = [podReflector, serviceAccountReflector, nodeReflector]

  async function follow(synced: () => void): Promise<void> {
    podReflector.start()
    nodeReflector.start()
    await podReflector.whenSynced(stopping.signal)
    // After the pods: a ServiceAccount without annotations is kept only if a pod of this node is known to use it.
    serviceAccountReflector.start()
    await serviceAccountReflector.whenSynced(stopping.signal)
    synced()
  }

  return {
    pods,
    serviceAccounts,
    reader,
    podsConfirmedAt: () => podReflector.confirmedAt,
    serviceAccountsSynced: () => serviceAccountReflector.synced,
    podByUid: (uid) => pods.byUid(uid) ?? reader.last?.pods.find((pod) => pod.uid === uid),
    checks: [
      { name: 'pods', reason: () => staleness(podReflector, clock) },
      { name: 'service accounts', reason: () => staleness(serviceAccountReflector, clock) },
      ...RIGHTS.map((right) => rightCheck(client, right)),
    ],
    report() {
      for (const reflector of reflectors) reflector.reportStaleness()
      metrics.pods.set(pods.size)
      metrics.serviceAccounts.set(serviceAccounts.size)
    },
    start(synced) {
      follow(synced).catch((err) => log.debug({ err }, 'stopped before the cluster was known'))
    },
    async stop() {
      stopping.abort()
      await Promise.all(reflectors.map((reflector) => reflector.stop()))
    },
  }
}

/** Warns while the API server refuses the right. */
function rightCheck(client: KubernetesClient, right: Right): ReadinessCheck {
  const { verb, resource, neededFor, without, mend } = right
  return {
    name: `no right to ${verb} ${resource}`,
    reason: () => undefined,
    warning: () =>
      client.missingRights().includes(right)
        ? `it is for ${neededFor}. Without it ${without}. ${mend}`
        : undefined,
  }
}
