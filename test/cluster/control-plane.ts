import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CertificateAuthority, IssuedCertificate } from '../../src/sandbox/certificate-authority.ts'
import { Api } from './api.ts'
import { apiServerArguments } from './api-server-arguments.ts'
import { AuditLog } from './audit-log.ts'
import { Component } from './component.ts'
import { Etcd } from './etcd.ts'
import { freePort } from './free-port.ts'
import { ServiceAccountKeys } from './service-account-keys.ts'

/** What to start. */
export interface ControlPlaneOptions {
  /** An empty folder of its own: keys, logs, etcd's data. */
  readonly directory: string
  /** The folder that `ensurePrograms` gave. */
  readonly programs: string
  /** Of every certificate of the cluster; clouds that trust it can ask the cluster for its keys. */
  readonly ca: CertificateAuthority
  /** The address that the API server listens on, and is known by; 127.0.0.1 unless said. */
  readonly host?: string
  /** Of the API server; a free one unless said. */
  readonly port?: number
  /** Further names and addresses of the API server. */
  readonly names?: readonly string[]
  readonly with?: readonly ('controller-manager' | 'scheduler')[]
  /** Users whose requests are kept in the audit log. */
  readonly audited?: readonly string[]
  /** Further flags of the API server, the last of a name counts. */
  readonly apiServerFlags?: readonly string[]
}

const READY_MS = 90_000

/** A real control plane: etcd and kube-apiserver, and what else was asked for, as processes of this one. */
export class ControlPlane implements AsyncDisposable {
  /** `https://HOST:PORT`, which is also the issuer of its service-account tokens. */
  readonly url: string
  readonly ca: CertificateAuthority
  /** The cluster's administrator (group system:masters). */
  readonly admin: Api
  readonly etcd: Etcd
  /** The signing keys of service-account tokens; what changes is in force from the next `startApiServer`. */
  readonly keys: ServiceAccountKeys
  readonly audit: AuditLog
  /** What the API server is started with next. */
  apiServerFlags: readonly string[]
  readonly #options: ControlPlaneOptions
  readonly #others: Component[] = []
  #apiServer: Component | undefined

  private constructor(options: ControlPlaneOptions, url: string, admin: Api, etcd: Etcd) {
    this.#options = options
    this.url = url
    this.ca = options.ca
    this.admin = admin
    this.etcd = etcd
    this.keys = new ServiceAccountKeys(options.directory)
    this.audit = new AuditLog(join(options.directory, 'audit.log'))
    this.apiServerFlags = options.apiServerFlags ?? []
  }

  /**
   * Starts it and waits until the API server is ready; 5-7 s.
   *
   * @throws Error with the end of a program's log
   */
  static async start(options: ControlPlaneOptions): Promise<ControlPlane> {
    const { ca, directory, host = '127.0.0.1', programs } = options
    await mkdir(directory, { recursive: true })
    await using starting = new AsyncDisposableStack()
    const etcd = starting.use(await Etcd.start(programs, directory))
    const url = `https://${host}:${options.port ?? (await freePort(host))}`
    const certificate = await ca.issueClient('kubernetes-admin', ['system:masters'])
    const admin = starting.use(new Api({ url, caPem: ca.pem, certificate, connections: 64 }))
    const plane = starting.use(new ControlPlane(options, url, admin, etcd))
    await plane.#prepare()
    await plane.startApiServer()
    for (const name of options.with ?? []) await plane.#startOther(name)
    starting.move()
    return plane
  }

  /** The API server's process, to freeze or to stop it. */
  get apiServer(): Component {
    return this.#apiServer!
  }

  /** Starts the API server again after it was stopped, with what `keys` and `apiServerFlags` say now, and waits until it is ready. */
  async startApiServer(): Promise<void> {
    const { directory, programs } = this.#options
    const flags = apiServerArguments({
      url: this.url,
      etcdUrl: this.etcd.url,
      file: (name) => join(directory, name),
      keys: this.keys,
    })
    const args = [...flags, ...this.apiServerFlags]
    this.#apiServer = new Component('kube-apiserver', join(programs, 'kube-apiserver'), args, directory)
    await this.#apiServer.whenReady(
      async () => (await this.admin.ask('GET', '/readyz')).status === 200,
      READY_MS,
    )
  }

  /** A kubeconfig (YAML) with a client certificate of a user in it, and nothing outside it. */
  async kubeconfig(user: string, groups: readonly string[] = []): Promise<string> {
    const { cert, key } = await this.ca.issueClient(user, groups)
    return this.kubeconfigOf({
      'client-certificate-data': base64(cert),
      'client-key-data': base64(key),
    })
  }

  /** The same with any credentials: the `user` of a kubeconfig, as `{token: …}` or `{tokenFile: …}`. */
  kubeconfigOf(user: Readonly<Record<string, string>>): string {
    const cluster = { server: this.url, 'certificate-authority-data': base64(this.ca.pem) }
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'test', user }],
    })
  }

  /** The API server as another user sees it; to be disposed of. */
  async as(user: string, groups: readonly string[] = []): Promise<Api> {
    const certificate = await this.ca.issueClient(user, groups)
    return new Api({ url: this.url, caPem: this.ca.pem, certificate })
  }

  /** The same with a bearer token. */
  withToken(token: string): Api {
    return new Api({ url: this.url, caPem: this.ca.pem, token })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#others.map((component) => component.stop()))
    await this.#apiServer?.stop(0)
  }

  async #prepare(): Promise<void> {
    const { directory, names = [], host = '127.0.0.1', audited = [] } = this.#options
    const rules = [...(audited.length > 0 ? [{ level: 'Metadata', users: audited }] : []), { level: 'None' }]
    const policy = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', omitStages: ['RequestReceived'], rules }
    const internal = ['kubernetes.default.svc', '10.96.0.1']
    const serving: IssuedCertificate = await this.ca.issueServer([host, ...internal, ...names])
    const files = {
      'ca.crt': this.ca.pem,
      'apiserver.crt': serving.cert,
      'apiserver.key': serving.key,
      'audit-policy.json': JSON.stringify(policy),
    }
    const kubelets = await this.ca.issueClient('kube-apiserver-kubelet-client', ['system:masters'])
    const all = { ...files, 'kubelet-client.crt': kubelets.cert, 'kubelet-client.key': kubelets.key }
    for (const [name, text] of Object.entries(all))
      await writeFile(join(directory, name), text, { mode: 0o600 })
    await this.keys.rotate()
  }

  async #startOther(name: 'controller-manager' | 'scheduler'): Promise<void> {
    const { directory, programs } = this.#options
    const file = join(directory, `${name}.kubeconfig`)
    await writeFile(file, await this.kubeconfig(`system:kube-${name}`), { mode: 0o600 })
    const port = await freePort('127.0.0.1')
    const files = ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig']
    const args = [
      ...files.map((flag) => `--${flag}=${file}`),
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      '--leader-elect=false',
      '--profiling=false',
      ...(name === 'scheduler'
        ? []
        : [
            `--service-account-private-key-file=${this.keys.signingKeyFile}`,
            `--root-ca-file=${join(directory, 'ca.crt')}`,
            '--use-service-account-credentials=true',
          ]),
    ]
    this.#others.push(new Component(`kube-${name}`, join(programs, `kube-${name}`), args, directory))
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
