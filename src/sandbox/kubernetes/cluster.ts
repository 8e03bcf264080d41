import { randomUUID } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import type { SandboxKubernetes, SandboxPod, SandboxTaint } from '../sandbox-types.ts'
import type { Collection } from './collection.ts'
import { type KubernetesObject, type PodObject, timestamp } from './kubernetes-object.ts'
import type { ObjectStore } from './object-store.ts'
import { buildPod, podStatus } from './pod-object.ts'

/** How long a pod may take to end (the default of `terminationGracePeriodSeconds`). */
const GRACE_SECONDS = 30

/** Plays the people, controllers and kubelets that change a cluster's objects. */
export class Cluster {
  readonly #store: ObjectStore
  readonly #clock: Clock

  constructor(store: ObjectStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  createPod(pod: SandboxPod): string {
    const { namespace, name, serviceAccountName = 'default' } = pod
    if (this.#store.pods.get(`${namespace}/${name}`)) throw new Error(`pod ${namespace}/${name} exists`)
    this.#ensureNamespace(namespace)
    if (serviceAccountName !== '' && !this.#store.serviceaccounts.get(`${namespace}/${serviceAccountName}`)) {
      this.applyServiceAccount(namespace, serviceAccountName)
    }
    return this.#store.pods.put(buildPod(structuredClone(pod), randomUUID(), this.#now())).metadata.uid
  }

  updatePod(...[namespace, name, change]: Parameters<SandboxKubernetes['updatePod']>): void {
    const pod = this.#existingPod(namespace, name)
    const { metadata, spec } = pod
    const { podIP: _podIP, podIPs, ...status } = pod.status
    const ips = change.ips ?? podIPs?.map(({ ip }) => ip) ?? []
    const phase = change.phase ?? status.phase
    const ready = status.conditions.some(
      (it) => it.type === 'PodReadyToStartContainers' && it.status === 'True',
    )
    const sandboxReady = change.sandboxReady ?? (change.ips ? ips.length > 0 : ready)
    const scheduled = spec.nodeName !== undefined
    const changed = podStatus({ ips, phase, sandboxReady }, scheduled, status.conditions, this.#now())
    this.#store.pods.put({
      ...pod,
      metadata: {
        ...metadata,
        ...(change.annotations && { annotations: { ...change.annotations } }),
        ...(change.labels && { labels: { ...change.labels } }),
      },
      status: { ...status, ...changed },
    })
  }

  deletePod(namespace: string, name: string): void {
    const pod = this.#existingPod(namespace, name)
    if (pod.metadata.deletionTimestamp !== undefined) return
    this.#store.pods.put({
      ...pod,
      metadata: {
        ...pod.metadata,
        deletionTimestamp: timestamp(this.#clock.now() + GRACE_SECONDS * 1000),
        deletionGracePeriodSeconds: GRACE_SECONDS,
      },
    })
  }

  removePod(namespace: string, name: string): void {
    this.#store.pods.remove(`${namespace}/${name}`)
  }

  pod(namespace: string, name: string): ReturnType<SandboxKubernetes['pod']> {
    const pod = this.#store.pods.get(`${namespace}/${name}`)
    if (!pod) return undefined
    return {
      uid: pod.metadata.uid,
      ips: pod.status.podIPs?.map(({ ip }) => ip) ?? [],
      phase: pod.status.phase,
      terminating: pod.metadata.deletionTimestamp !== undefined,
      serviceAccountName: pod.spec.serviceAccountName ?? '',
    }
  }

  applyServiceAccount(
    namespace: string,
    name: string,
    annotations?: Readonly<Record<string, string>>,
  ): string {
    this.#ensureNamespace(namespace)
    return this.#apply(this.#store.serviceaccounts, 'ServiceAccount', { namespace, name }, { annotations })
  }

  removeServiceAccount(namespace: string, name: string): void {
    this.#store.serviceaccounts.remove(`${namespace}/${name}`)
  }

  applyNode(...[name, node = {}]: Parameters<SandboxKubernetes['applyNode']>): void {
    const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...node.labels }
    const addresses = (node.internalIps ?? []).map((address) => ({ type: 'InternalIP', address }))
    this.#apply(
      this.#store.nodes,
      'Node',
      { name },
      { labels },
      {
        spec: {
          ...(node.providerId !== undefined && { providerID: node.providerId }),
          ...(node.taints !== undefined && { taints: structuredClone(node.taints) }),
        },
        status: { addresses: [...addresses, { type: 'Hostname', address: name }] },
      },
    )
  }

  taints(nodeName: string): readonly SandboxTaint[] {
    return this.#store.nodes.get(nodeName)?.spec?.taints ?? []
  }

  #ensureNamespace(name: string): void {
    if (this.#store.namespaces.get(name)) return
    const labels = { 'kubernetes.io/metadata.name': name }
    this.#apply(
      this.#store.namespaces,
      'Namespace',
      { name },
      { labels },
      {
        spec: { finalizers: ['kubernetes'] },
        status: { phase: 'Active' },
      },
    )
  }

  /** Creates or replaces an object; its UID and creation time stay. */
  #apply(
    collection: Collection,
    kind: string,
    id: { readonly name: string; readonly namespace?: string },
    meta: Readonly<Record<string, Readonly<Record<string, string>> | undefined>>,
    rest: object = {},
  ): string {
    const key = id.namespace === undefined ? id.name : `${id.namespace}/${id.name}`
    const before: KubernetesObject | undefined = collection.get(key)
    const uid = before?.metadata.uid ?? randomUUID()
    const creationTimestamp = before?.metadata.creationTimestamp ?? this.#now()
    const copied = structuredClone(Object.fromEntries(Object.entries(meta).filter(([, value]) => value)))
    collection.put({
      apiVersion: 'v1',
      kind,
      metadata: { ...id, uid, creationTimestamp, ...copied },
      ...rest,
    })
    return uid
  }

  #now(): string {
    return timestamp(this.#clock.now())
  }

  #existingPod(namespace: string, name: string): PodObject {
    const pod = this.#store.pods.get(`${namespace}/${name}`)
    if (!pod) throw new Error(`no pod ${namespace}/${name}`)
    return pod
  }
}
