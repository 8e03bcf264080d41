import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { grantSandboxRole, sandboxMember } from '../../src/sandbox/sandbox-config.ts'
import type { Clouds } from '../../src/sandbox/start-clouds.ts'
import type { ControlPlane } from './control-plane.ts'
import { type ClusterDaemon, type DaemonOptions, startDaemonIn } from './start-daemon-in.ts'

/** A pod of the scenario's namespace and node, unless it says otherwise. */
export interface ClusterPod {
  readonly name: string
  readonly namespace?: string
  readonly node?: string
  /** `sa-NAME` unless said; made where it does not exist. */
  readonly serviceAccount?: string
  /** `status.podIPs`; none yet if absent. */
  readonly ip?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly hostNetwork?: boolean
  /** Further fields of the spec. */
  readonly spec?: Readonly<Record<string, unknown>>
}

/** What a scenario works in: the cluster of all, a namespace and a node of its own, and the daemons that it starts. */
export class World implements AsyncDisposable {
  readonly plane: ControlPlane
  readonly clouds: Clouds
  /** Of the scenario alone; it is never deleted, which needs a controller-manager. */
  readonly namespace: string
  /** The name of a Node of the scenario alone. */
  readonly node: string
  readonly directory: string
  /** The folder that `ensurePrograms` gave. */
  readonly programs: string
  readonly #started = new AsyncDisposableStack()
  #daemons = 0

  private constructor(of: Pick<World, 'plane' | 'clouds' | 'namespace' | 'node' | 'directory' | 'programs'>) {
    this.plane = of.plane
    this.clouds = of.clouds
    this.namespace = of.namespace
    this.node = of.node
    this.directory = of.directory
    this.programs = of.programs
  }

  static async create(options: {
    readonly name: string
    readonly plane: ControlPlane
    readonly clouds: Clouds
    readonly directory: string
    readonly programs: string
  }): Promise<World> {
    const { name, ...rest } = options
    const world = new World({ ...rest, namespace: name, node: `node-${name}` })
    await world.plane.admin.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    await world.addNode(world.node)
    return world
  }

  /** A Node as a kubelet would register it. */
  async addNode(name: string): Promise<void> {
    const labels = {
      'topology.kubernetes.io/zone': 'europe-west1-b',
      'topology.kubernetes.io/region': 'europe-west1',
    }
    await this.plane.admin.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels } })
  }

  /**
   * Starts the real daemon on loopback, in this process, as the ServiceAccount of `manifests/` in a pod of the node: with exactly its
   * rights. It is stopped at the end of the scenario.
   */
  async startDaemon(options: DaemonOptions = {}): Promise<ClusterDaemon> {
    const directory = join(this.directory, `daemon-${this.#daemons++}`)
    await mkdir(directory)
    const daemon = await startDaemonIn(this, directory, options)
    return this.#started.use(daemon)
  }

  /** Creates or re-annotates a ServiceAccount. */
  async applyServiceAccount(
    name: string,
    annotations: Readonly<Record<string, string>> = {},
    namespace = this.namespace,
  ): Promise<void> {
    await this.plane.admin.apply({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name, namespace, annotations },
    })
  }

  /** A ServiceAccount that may impersonate, and is annotated with, a Google service account of its own. Returns the e-mail. */
  async googleServiceAccount(name: string, namespace = this.namespace): Promise<string> {
    const email = `${name}@demo-project.iam.gserviceaccount.com`
    this.clouds.google.grant(email, sandboxMember(namespace, name))
    await this.applyServiceAccount(name, { 'iam.gke.io/gcp-service-account': email }, namespace)
    return email
  }

  /** A ServiceAccount that may assume, and is annotated with, a role of its own. Returns the ARN. */
  async awsServiceAccount(name: string, namespace = this.namespace): Promise<string> {
    const issuer = this.plane.url
    const arn = grantSandboxRole({ aws: this.clouds.aws, kubernetes: { issuer } }, name, namespace, name)
    await this.applyServiceAccount(name, { 'eks.amazonaws.com/role-arn': arn }, namespace)
    return arn
  }

  /** Creates a pod as the scheduler leaves it, and where it has an address reports it as a kubelet does. Returns its UID. */
  async createPod(pod: ClusterPod): Promise<string> {
    const { name, namespace = this.namespace, node = this.node, serviceAccount = `sa-${name}` } = pod
    const { admin } = this.plane
    const created = await admin.create(`/api/v1/namespaces/${namespace}/pods`, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, annotations: pod.annotations ?? {} },
      spec: {
        serviceAccountName: serviceAccount,
        nodeName: node,
        containers: [{ name: 'main', image: 'none' }],
        ...(pod.hostNetwork === true ? { hostNetwork: true } : {}),
        ...pod.spec,
      },
    })
    if (pod.ip !== undefined) await this.setStatus(name, { ip: pod.ip }, namespace)
    return created.metadata.uid
  }

  /** Reports a pod's status as a kubelet does. */
  async setStatus(
    name: string,
    { ip, phase = 'Running' }: { readonly ip?: string; readonly phase?: string },
    namespace = this.namespace,
  ): Promise<void> {
    const addresses = ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] }
    const status = { phase, hostIP: '127.0.0.1', hostIPs: [{ ip: '127.0.0.1' }], ...addresses }
    await this.plane.admin.merge(`/api/v1/namespaces/${namespace}/pods/${name}/status`, { status })
  }

  /** @param graceSeconds 0 unless said: the object is gone at once, as when the kubelet confirms the end */
  async deletePod(name: string, graceSeconds = 0, namespace = this.namespace): Promise<void> {
    await this.plane.admin.delete(`/api/v1/namespaces/${namespace}/pods/${name}`, graceSeconds)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#started.disposeAsync()
  }
}
