import { randomBytes } from 'node:crypto'
import type { SandboxPod } from '../sandbox-types.ts'
import type { Unversioned } from './collection.ts'
import type { PodCondition, PodObject } from './kubernetes-object.ts'

/** What a pod's status is made from. */
export interface PodState {
  readonly ips: readonly string[]
  readonly phase: string
  /** The pod's network exists (condition `PodReadyToStartContainers`). */
  readonly sandboxReady: boolean
}

/**
 * A core/v1 Pod as the API server would have it after the kubelet reported it.
 *
 * @param now RFC 3339, whole seconds
 */
export function buildPod(pod: SandboxPod, uid: string, now: string): Unversioned<PodObject> {
  const { namespace, name, nodeName, ips = [], phase = 'Running' } = pod
  const serviceAccountName = pod.serviceAccountName ?? 'default'
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      uid,
      creationTimestamp: now,
      ...(pod.labels && { labels: pod.labels }),
      ...(pod.annotations && { annotations: pod.annotations }),
    },
    spec: {
      volumes: serviceAccountName === '' ? [] : volumes(pod.projectedTokens ?? []),
      containers: [
        { name: 'main', image: 'registry.example/app:1', resources: {}, imagePullPolicy: 'IfNotPresent' },
      ],
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      ...(serviceAccountName !== '' && { serviceAccountName, serviceAccount: serviceAccountName }),
      ...(nodeName !== undefined && { nodeName }),
      ...(pod.hostNetwork && { hostNetwork: true }),
      schedulerName: 'default-scheduler',
    },
    status: {
      qosClass: 'BestEffort',
      startTime: now,
      ...podStatus({ ips, phase, sandboxReady: ips.length > 0 }, nodeName !== undefined, [], now),
    },
  }
}

/** The fields of `status` that change in a pod's life. Conditions that stay as they were keep their times. */
export function podStatus(
  { ips, phase, sandboxReady }: PodState,
  scheduled: boolean,
  before: readonly PodCondition[],
  now: string,
): PodObject['status'] {
  const condition = (type: string, holds: boolean): PodCondition => {
    const status = holds ? 'True' : 'False'
    const same = before.find((old) => old.type === type && old.status === status)
    return same ?? { type, status, lastProbeTime: null, lastTransitionTime: now }
  }
  return {
    phase,
    ...(ips[0] !== undefined && { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) }),
    conditions: [
      condition('PodScheduled', scheduled),
      condition('PodReadyToStartContainers', sandboxReady),
      condition('Ready', phase === 'Running' && sandboxReady),
    ],
  }
}

/** The volumes of the wanted tokens, and the one that every pod with a ServiceAccount gets at admission. */
function volumes(tokens: NonNullable<SandboxPod['projectedTokens']>): unknown[] {
  const byName = new Map<string, unknown[]>()
  for (const { volume, path, audience, expirationSeconds = 3_600 } of tokens) {
    const source = { serviceAccountToken: { path, expirationSeconds, ...(audience && { audience }) } }
    byName.set(volume, [...(byName.get(volume) ?? []), source])
  }
  byName.set(`kube-api-access-${randomBytes(3).toString('hex').slice(1)}`, [
    { serviceAccountToken: { expirationSeconds: 3_607, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    {
      downwardAPI: {
        items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
      },
    },
  ])
  return [...byName].map(([name, sources]) => ({ name, projected: { sources, defaultMode: 420 } }))
}
