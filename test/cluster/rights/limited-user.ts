import { eventually } from '../../support/eventually.ts'
import type { Api } from '../api.ts'
import type { ControlPlane } from '../control-plane.ts'
import { reviewedRights } from './reviewed-rights.ts'

/** A user with a client certificate, and a ClusterRole of its own. */
export class LimitedUser implements AsyncDisposable {
  /** With its certificate in it. */
  readonly kubeconfig: string
  readonly #plane: ControlPlane
  readonly #name: string
  readonly #api: Api

  private constructor(plane: ControlPlane, name: string, kubeconfig: string, api: Api) {
    this.#plane = plane
    this.#name = name
    this.kubeconfig = kubeconfig
    this.#api = api
  }

  /** Makes it, and waits until the API server's authorizer knows of its rights (`VERB RESOURCE`). */
  static async create(plane: ControlPlane, name: string, rights: readonly string[]): Promise<LimitedUser> {
    const user = new LimitedUser(plane, name, await plane.kubeconfig(name), await plane.as(name))
    const group = 'rbac.authorization.k8s.io'
    await user.may(rights, async () => {
      await plane.admin.apply({
        apiVersion: `${group}/v1`,
        kind: 'ClusterRoleBinding',
        metadata: { name },
        roleRef: { apiGroup: group, kind: 'ClusterRole', name },
        subjects: [{ apiGroup: group, kind: 'User', name }],
      })
    })
    return user
  }

  /** Gives it these rights instead of those that it had, and waits until the authorizer knows. */
  async may(rights: readonly string[], also = async () => {}): Promise<void> {
    const rules = rights.map((right) => {
      const [verb, resource] = right.split(' ')
      return { apiGroups: [''], verbs: [verb], resources: [resource] }
    })
    await this.#plane.admin.apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: this.#name },
      rules,
    })
    await also()
    await eventually(
      () => reviewedRights(this.#api, 'default'),
      (reviewed) => rights.every((right) => reviewed.has(right)),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#api[Symbol.asyncDispose]()
  }
}
