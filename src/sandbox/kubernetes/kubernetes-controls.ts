import type { Clock } from '../../lib/clock.ts'
import type { CertificateAuthority, IssuedCertificate } from '../certificate-authority.ts'
import { Controls } from '../controls.ts'
import type { SandboxKubernetes } from '../sandbox-types.ts'
import type { Service } from '../service.ts'
import type { SigningKeys } from '../signing-keys.ts'
import { Cluster } from './cluster.ts'
import { EventLog } from './event-log.ts'
import { kubeconfig } from './kubeconfig.ts'
import { createObjectStore, type ObjectStore } from './object-store.ts'
import { ServiceAccountTokens } from './service-account-tokens.ts'
import { Users } from './users.ts'
import { Watches } from './watches.ts'

/** What {@link KubernetesControls} needs. */
export interface KubernetesControlsOptions {
  readonly ca: CertificateAuthority
  readonly clock: Clock
  readonly keys: SigningKeys
}

/** The parts of the fake cluster, and the handles by which a scenario works them. */
export class KubernetesControls extends Controls implements SandboxKubernetes {
  streamingLists = true
  maxPageSize = Number.POSITIVE_INFINITY
  readLagMs = 0
  readonly store: ObjectStore
  readonly eventLog = new EventLog()
  readonly users: Users
  readonly tokens: ServiceAccountTokens
  readonly watches: Watches
  readonly #ca: CertificateAuthority
  readonly #keys: SigningKeys
  readonly #cluster: Cluster
  #service: Service | undefined

  constructor({ ca, clock, keys }: KubernetesControlsOptions) {
    super()
    this.#ca = ca
    this.#keys = keys
    this.store = createObjectStore(clock)
    this.watches = new Watches(clock)
    this.tokens = new ServiceAccountTokens({ store: this.store, keys, clock, issuer: () => this.issuer })
    this.users = new Users(async (token) => (await this.tokens.review(token, []))?.user.username)
    this.#cluster = new Cluster(this.store, clock)
  }

  /** Tells where the API server listens: once, before anything else. */
  attach(service: Service): void {
    this.#service = service
  }

  get url(): string {
    return this.#attached.url
  }

  get issuer(): string {
    return this.url
  }

  createPod(...args: Parameters<SandboxKubernetes['createPod']>): string {
    return this.#cluster.createPod(...args)
  }

  updatePod(...args: Parameters<SandboxKubernetes['updatePod']>): void {
    this.#cluster.updatePod(...args)
  }

  deletePod(namespace: string, name: string): void {
    this.#cluster.deletePod(namespace, name)
  }

  removePod(namespace: string, name: string): void {
    this.#cluster.removePod(namespace, name)
  }

  pod(namespace: string, name: string): ReturnType<SandboxKubernetes['pod']> {
    return this.#cluster.pod(namespace, name)
  }

  applyServiceAccount(...args: Parameters<SandboxKubernetes['applyServiceAccount']>): string {
    return this.#cluster.applyServiceAccount(...args)
  }

  removeServiceAccount(namespace: string, name: string): void {
    this.#cluster.removeServiceAccount(namespace, name)
  }

  applyNode(...args: Parameters<SandboxKubernetes['applyNode']>): void {
    this.#cluster.applyNode(...args)
  }

  taints(nodeName: string): ReturnType<SandboxKubernetes['taints']> {
    return this.#cluster.taints(nodeName)
  }

  get events(): SandboxKubernetes['events'] {
    return this.eventLog.events
  }

  userToken(name: string, rights: readonly string[]): string {
    return this.users.add(name, rights)
  }

  kubeconfig(name: string, rights: readonly string[]): string {
    return kubeconfig(this.url, this.#ca.pem, name, this.users.add(name, rights))
  }

  clientCertificate(name: string, rights: readonly string[]): Promise<IssuedCertificate> {
    this.users.add(name, rights)
    return this.#ca.issueClient(name)
  }

  async mintToken(
    ...[id, audience, expirationSeconds = 3_600]: Parameters<SandboxKubernetes['mintToken']>
  ): Promise<string> {
    const { namespace, name } = id
    const pod = this.store.pods.get(`${namespace}/${name}`)
    const serviceAccount = this.store.serviceaccounts.get(`${namespace}/${pod?.spec.serviceAccountName}`)
    if (!pod || !serviceAccount)
      throw new Error(`pod ${namespace}/${name} or its ServiceAccount does not exist`)
    return (await this.tokens.mint({ serviceAccount, pod, audiences: [audience], expirationSeconds })).token
  }

  rotateSigningKey(): Promise<void> {
    return this.#keys.rotate()
  }

  get bookmarkIntervalMs(): number {
    return this.watches.bookmarkIntervalMs
  }

  set bookmarkIntervalMs(value: number) {
    this.watches.bookmarkIntervalMs = value
  }

  compact(): void {
    for (const collection of Object.values(this.store)) collection.compact()
    this.watches.expire()
  }

  dropWatches(how: 'close' | 'reset'): void {
    this.watches.drop(how === 'reset' ? (incoming) => this.#attached.reset(incoming) : undefined)
  }

  get freezeWatches(): boolean {
    return this.watches.frozen
  }

  set freezeWatches(value: boolean) {
    this.watches.frozen = value
  }

  get watchDelayMs(): SandboxKubernetes['watchDelayMs'] {
    return this.watches.delayMs
  }

  set watchDelayMs(value: SandboxKubernetes['watchDelayMs']) {
    this.watches.delayMs = value
  }

  get outage(): boolean {
    return this.#attached.outage
  }

  set outage(value: boolean) {
    this.#attached.outage = value
  }

  get #attached(): Service {
    if (!this.#service) throw new Error('the API server is not listening yet')
    return this.#service
  }
}
