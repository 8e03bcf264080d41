import type { Api, ApiAnswer } from '../api.ts'
import type { World } from '../world.ts'

const TAINT = { key: 'metadatad.dev/not-ready', effect: 'NoSchedule' }
const OTHER_TAINT = { key: 'example.com/maintenance', effect: 'NoSchedule' }

/** What the daemon of one node may write besides tokens, asked of the real server. */
export class BeyondTokens {
  readonly #world: World
  /** The daemon's ServiceAccount, by the token of its pod, and by one that is bound to none. */
  readonly #daemon: Api
  readonly #loose: Api
  readonly #otherNode: string

  constructor(world: World, daemon: Api, loose: Api, otherNode: string) {
    this.#world = world
    this.#daemon = daemon
    this.#loose = loose
    this.#otherNode = otherNode
  }

  /** Whether the policies refuse what they must: one answer for that on Events, one for that on Nodes. Changes nothing. */
  async inForce(): Promise<boolean[]> {
    const foreign = this.#event('probe', { reportingComponent: 'kubelet' })
    const answers = await Promise.all([
      this.#daemon.ask('POST', `${this.#events}?dryRun=All`, foreign),
      this.#merge(this.#daemon, `${nodePath(this.#otherNode)}?dryRun=All`, {}),
    ])
    return answers.map(({ status, body }) => status === 403 && /ValidatingAdmissionPolicy/.test(body.message))
  }

  /** Tries everything. @returns how much that was, and what was answered otherwise than it must be */
  async tried(): Promise<{ operations: number; complaints: string[] }> {
    const { admin } = this.#world.plane
    const complaints: string[] = []
    let operations = 0
    const expect = async (status: number, message: RegExp, asked: Promise<ApiAnswer>) => {
      operations++
      const { status: got, body } = await asked
      if (got !== status || !message.test(body.message ?? '')) complaints.push(`${got} ${body.message}`)
    }
    const create = (by: Api, name: string, but = {}) => by.ask('POST', this.#events, this.#event(name, but))
    const patchEvent = (by: Api, name: string, patch: object) =>
      this.#merge(by, `${this.#events}/${name}`, patch)
    const deployment = { involvedObject: { kind: 'Deployment', namespace: this.#world.namespace, name: 'd' } }

    await expect(201, /^/, create(this.#daemon, 'own'))
    await expect(200, /^/, patchEvent(this.#daemon, 'own', { count: 2 }))
    await expect(201, /^/, create(admin, 'kubelets', { reportingComponent: 'kubelet' }))
    await expect(201, /^/, create(admin, 'neighbours', { reportingInstance: this.#otherNode }))
    const own = /its own Events only, and only about pods/
    await expect(403, own, create(this.#daemon, 'forged', { reportingComponent: 'kubelet' }))
    await expect(403, own, create(this.#daemon, 'about-others', deployment))
    await expect(403, own, patchEvent(this.#daemon, 'kubelets', { message: 'all is well' }))
    await expect(
      403,
      own,
      patchEvent(this.#daemon, 'kubelets', { message: 'all is well', reportingComponent: 'metadatad' }),
    )
    const node = /of the node only that its own token is bound to/
    await expect(403, node, create(this.#daemon, 'elsewhere', { reportingInstance: this.#otherNode }))
    await expect(403, node, patchEvent(this.#daemon, 'neighbours', { count: 7 }))
    await expect(403, node, create(this.#loose, 'unbound'))
    await expect(200, /^/, patchEvent(admin, 'kubelets', { message: 'said by its owner' }))

    const path = nodePath(this.#world.node)
    await admin.merge(path, { spec: { taints: [TAINT, OTHER_TAINT] } })
    const patchNode = (patch: object, by = this.#daemon, at = path) => this.#merge(by, at, patch)
    await expect(403, /patch its own node only/, patchNode({}, this.#daemon, nodePath(this.#otherNode)))
    await expect(403, /its own node only/, patchNode({ spec: { taints: [OTHER_TAINT] } }, this.#loose))
    await expect(403, /and change no other/, patchNode({ spec: { taints: [TAINT] } }))
    await expect(403, /and change no other/, patchNode({ spec: { taints: null } }))
    const added = [TAINT, OTHER_TAINT, { key: 'example.com/new', effect: 'NoExecute' }]
    await expect(403, /and change no other/, patchNode({ spec: { taints: added } }))
    await expect(
      403,
      /a node's metadata/,
      patchNode({ metadata: { labels: { 'example.com/tier': 'gold' } } }),
    )
    await expect(403, /a node's metadata/, patchNode({ metadata: { annotations: { note: 'x' } } }))
    await expect(403, /a node's spec but for its taint/, patchNode({ spec: { unschedulable: true } }))
    await expect(200, /^/, patchNode({ spec: { taints: [OTHER_TAINT] } }))
    await expect(200, /^/, patchNode({ spec: { taints: null } }, admin))
    return { operations, complaints }
  }

  get #events(): string {
    return `/api/v1/namespaces/${this.#world.namespace}/events`
  }

  #event(name: string, but: object): object {
    const { namespace, node } = this.#world
    const at = new Date().toISOString().replace(/\.\d+/, '')
    return {
      metadata: { name, namespace },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name: 'mine' },
      type: 'Warning',
      reason: 'Tried',
      message: 'what the daemon says of a pod',
      ...{ firstTimestamp: at, lastTimestamp: at, count: 1 },
      source: { component: 'metadatad', host: node },
      ...{ reportingComponent: 'metadatad', reportingInstance: node },
      ...but,
    }
  }

  #merge(by: Api, path: string, patch: object): Promise<ApiAnswer> {
    return by.ask('PATCH', path, patch, 'application/merge-patch+json')
  }
}

function nodePath(name: string): string {
  return `/api/v1/nodes/${name}`
}
