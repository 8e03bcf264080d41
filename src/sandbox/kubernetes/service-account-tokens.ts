import { randomUUID } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import type { SigningKeys } from '../signing-keys.ts'
import { isRecord } from './is-record.ts'
import type { KubernetesObject, PodObject } from './kubernetes-object.ts'
import type { ObjectStore } from './object-store.ts'

/** What a {@link ServiceAccountTokens} needs. */
export interface ServiceAccountTokensOptions {
  readonly store: ObjectStore
  readonly keys: SigningKeys
  readonly clock: Clock
  /** The cluster's issuer, which is also its own default audience. */
  readonly issuer: () => string
}

/** What token to make. */
export interface TokenWish {
  readonly serviceAccount: KubernetesObject
  /** The pod to bind it to. */
  readonly pod: PodObject | undefined
  /** None: the API server itself. */
  readonly audiences: readonly string[]
  readonly expirationSeconds: number
}

/** What a valid token says (`status` of a TokenReview). */
export interface ReviewedToken {
  readonly user: {
    readonly username: string
    readonly uid: string
    readonly groups: readonly string[]
    readonly extra: Readonly<Record<string, readonly string[]>>
  }
  readonly audiences: readonly string[]
}

/** Makes and judges service-account tokens, with the claims of Kubernetes 1.32. */
export class ServiceAccountTokens {
  readonly #options: ServiceAccountTokensOptions

  constructor(options: ServiceAccountTokensOptions) {
    this.#options = options
  }

  /** @returns the JWT and its expiry in seconds since the epoch */
  async mint({
    serviceAccount,
    pod,
    audiences,
    expirationSeconds,
  }: TokenWish): Promise<{ token: string; exp: number }> {
    const { keys, clock, issuer, store } = this.#options
    const { namespace, name, uid } = serviceAccount.metadata
    const now = Math.floor(clock.now() / 1000)
    const exp = now + expirationSeconds
    const nodeName = pod?.spec.nodeName
    const node = nodeName === undefined ? undefined : store.nodes.get(nodeName)
    const token = await keys.sign({
      aud: audiences.length > 0 ? [...audiences] : [issuer()],
      exp,
      iat: now,
      iss: issuer(),
      jti: randomUUID(),
      'kubernetes.io': {
        namespace,
        ...(nodeName && { node: { name: nodeName, ...(node && { uid: node.metadata.uid }) } }),
        ...(pod && { pod: { name: pod.metadata.name, uid: pod.metadata.uid } }),
        serviceaccount: { name, uid },
      },
      nbf: now,
      sub: `system:serviceaccount:${namespace}:${name}`,
    })
    return { token, exp }
  }

  /**
   * Judges a token as a TokenReview does: signature, times, audience (`audiences`, or the API server's own if none), and
   * the ServiceAccount and pod it is bound to, which must exist with the same UIDs.
   *
   * @returns undefined if it is not valid
   */
  async review(token: string, audiences: readonly string[]): Promise<ReviewedToken | undefined> {
    const { keys, clock, issuer, store } = this.#options
    const claims = await keys.verify(token, issuer(), clock.now())
    const bound = claims?.['kubernetes.io']
    if (!claims || !isRecord(bound) || !isRecord(bound.serviceaccount)) return undefined
    const wanted = audiences.length > 0 ? audiences : [issuer()]
    const shared = wanted.filter((audience) => [claims.aud].flat().includes(audience))
    if (shared.length === 0) return undefined
    const { name, uid } = bound.serviceaccount
    const serviceAccount = store.serviceaccounts.get(`${bound.namespace}/${name}`)
    if (serviceAccount?.metadata.uid !== uid) return undefined
    const pod = isRecord(bound.pod) ? bound.pod : undefined
    if (pod && store.pods.get(`${bound.namespace}/${pod.name}`)?.metadata.uid !== pod.uid) return undefined
    const node = isRecord(bound.node) ? bound.node : undefined
    const extra: Record<string, readonly string[]> = {
      'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`],
    }
    for (const [kind, object] of Object.entries({ pod, node })) {
      if (!object) continue
      extra[`authentication.kubernetes.io/${kind}-name`] = [String(object.name)]
      if (object.uid) extra[`authentication.kubernetes.io/${kind}-uid`] = [String(object.uid)]
    }
    const groups = [
      'system:serviceaccounts',
      `system:serviceaccounts:${bound.namespace}`,
      'system:authenticated',
    ]
    return { user: { username: String(claims.sub), uid: String(uid), groups, extra }, audiences: shared }
  }
}
