import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { createInterface } from 'node:readline'
import type { KubeObject } from '../../cluster/api.ts'
import type { ControlPlane } from '../../cluster/control-plane.ts'

/** What the API server has said of a pod so far. */
export interface WatchedPod {
  readonly object: KubeObject
  /** When it was first said to have an address, in milliseconds since the epoch; undefined if never. */
  readonly addressAt: number | undefined
}

/** Sees every change of the pods of namespace `default`, as soon as the API server tells of it. */
export class PodWatch implements Disposable {
  readonly #pods = new Map<string, WatchedPod>()
  readonly #waiting = new Map<string, (pod: WatchedPod) => void>()
  readonly #response: IncomingMessage

  private constructor(response: IncomingMessage) {
    this.#response = response
    createInterface({ input: response }).on('line', (line) => this.#see(JSON.parse(line)))
  }

  static async start({ url, ca }: ControlPlane): Promise<PodWatch> {
    const identity = await ca.issueClient('watcher', ['system:masters'])
    const asked = request(`${url}/api/v1/namespaces/default/pods?watch=true`, {
      ca: ca.pem,
      ...identity,
    }).end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    return new PodWatch(response)
  }

  /**
   * Resolves when a pod, of any time to come, has ended. One wait for a name at a time.
   *
   * @throws Error after `timeoutMs`
   */
  async ended(name: string, timeoutMs: number): Promise<WatchedPod> {
    const { promise, resolve, reject } = Promise.withResolvers<WatchedPod>()
    const late = setTimeout(() => reject(new Error(`${name} has not ended: ${this.#state(name)}`)), timeoutMs)
    this.#waiting.set(name, resolve)
    const known = this.#pods.get(name)
    if (known !== undefined) this.#tell(known)
    try {
      return await promise
    } finally {
      clearTimeout(late)
      this.#waiting.delete(name)
      this.#pods.delete(name)
    }
  }

  [Symbol.dispose](): void {
    this.#response.destroy()
  }

  #see({ type, object }: { type: string; object: KubeObject }): void {
    if (type !== 'ADDED' && type !== 'MODIFIED') return
    const { name } = object.metadata
    const known = this.#pods.get(name)
    const hasAddress = object.status.podIP !== undefined
    const pod = { object, addressAt: known?.addressAt ?? (hasAddress ? Date.now() : undefined) }
    this.#pods.set(name, pod)
    this.#tell(pod)
  }

  #tell(pod: WatchedPod): void {
    if (pod.object.status.containerStatuses?.[0]?.state?.terminated === undefined) return
    this.#waiting.get(pod.object.metadata.name)?.(pod)
  }

  #state(name: string): string {
    return JSON.stringify(this.#pods.get(name)?.object.status ?? 'unknown').slice(0, 1_000)
  }
}
