import type { Api } from '../api.ts'
import { ApiError } from '../api-error.ts'

/** A pod as the API server knows it. */
export interface PodObject {
  readonly name: string
  readonly uid: string
}

/** A pod to make. */
export interface NewPod {
  readonly name: string
  readonly node: string
  readonly serviceAccount: string
}

/** Enough of a pod for who has written it. A list can't be had so. */
const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'
const JSON_TYPE = 'application/json'
/** Not found, or another pod's that has the name by now. */
const TOO_LATE = [404, 409]

/** What schedulers, kubelets, controllers and users write of the pods of one namespace. */
export class PodObjects {
  readonly #api: Api
  readonly #path: string

  constructor(api: Api, namespace: string) {
    this.#api = api
    this.#path = `/api/v1/namespaces/${namespace}/pods`
  }

  async create({ name, node, serviceAccount }: NewPod): Promise<PodObject> {
    const spec = {
      serviceAccountName: serviceAccount,
      automountServiceAccountToken: false,
      nodeName: node,
      containers: [{ name: 'main', image: 'none' }],
    }
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec }
    const { status, body } = await this.#api.ask('POST', this.#path, pod, JSON_TYPE, METADATA)
    if (status !== 201) throw new ApiError(`POST ${this.#path}`, status, body)
    return { name, uid: body.metadata.uid }
  }

  /** Bound to the UID, as the kubelet's reports are. @param status to be merged into what is there; nothing happens if the pod is gone */
  async report({ name, uid }: PodObject, status: unknown): Promise<void> {
    const path = `${this.#path}/${name}/status`
    await this.#ifThere('PATCH', path, { metadata: { uid }, status }, 'application/merge-patch+json')
  }

  /**
   * @param graceSeconds 0: the object is gone at once. Nothing happens if the pod is gone; whoever calls sees to it that the
   * name is no other pod's by then.
   */
  async delete({ name }: PodObject, graceSeconds: number): Promise<void> {
    // Not as a body: undici gives up the connection after a DELETE that has one.
    await this.#ifThere('DELETE', `${this.#path}/${name}?gracePeriodSeconds=${graceSeconds}`)
  }

  /** Deletes those that have ended, as the controller of Jobs does after a while. */
  async reap(): Promise<void> {
    for (const phase of ['Succeeded', 'Failed']) {
      const path = `${this.#path}?fieldSelector=status.phase%3D${phase}&gracePeriodSeconds=0`
      const { status, body } = await this.#api.ask('DELETE', path)
      if (status !== 200) throw new ApiError(`DELETE ${path}`, status, body)
    }
  }

  async #ifThere(method: 'PATCH' | 'DELETE', path: string, body?: unknown, type = JSON_TYPE): Promise<void> {
    const { status, body: said } = await this.#api.ask(method, path, body, type, METADATA)
    if (status >= 300 && !TOO_LATE.includes(status)) throw new ApiError(`${method} ${path}`, status, said)
  }
}
