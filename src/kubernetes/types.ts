/** Names one pod for ever: a name can be used again, a UID never is (Kubernetes API conventions, "UIDs"). */
export interface PodReference {
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

/** A `serviceAccountToken` source of a `projected` volume of the pod (core/v1 ServiceAccountTokenProjection). */
export interface ProjectedToken {
  /** The volume's name: the directory under `volumes/kubernetes.io~projected`. */
  readonly volume: string
  /** The token's path inside the volume. */
  readonly path: string
  /** The wanted audience; undefined means the API server's own. */
  readonly audience: string | undefined
}

/** `status.phase` (core/v1 PodPhase). */
export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'

/** The few fields of a core/v1 Pod that decide who a caller is. */
export interface Pod extends PodReference {
  readonly resourceVersion: string
  readonly nodeName: string
  /** Empty for a static pod, whose mirror has no ServiceAccount. */
  readonly serviceAccountName: string
  readonly hostNetwork: boolean
  readonly phase: PodPhase
  /** Every address of `status.podIPs` (else `status.podIP`), spelled by `canonicalAddress`. */
  readonly ips: readonly string[]
  /** `metadata.creationTimestamp` in milliseconds since the epoch. */
  readonly createdAt: number
  /** `metadata.deletionTimestamp` is set. */
  readonly terminating: boolean
  /**
   * The kubelet has said that the pod's network is gone: condition `PodReadyToStartContainers` is False while the pod is
   * terminating or after its containers ended. Such a pod no longer owns its addresses.
   */
  readonly sandboxGone: boolean
  /** `spec.runtimeClassName`. */
  readonly runtimeClassName: string | undefined
  readonly projectedTokens: readonly ProjectedToken[]
  /** Only the annotations the daemon acts on (`POD_ANNOTATIONS` of the decoder). */
  readonly annotations: Readonly<Record<string, string>>
  /** Only the labels the daemon acts on. */
  readonly labels: Readonly<Record<string, string>>
}

/** A ServiceAccount as `PartialObjectMetadata` shows it, reduced to the identity annotations. */
export interface ServiceAccount {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  /** Only those that name cloud identities (`IDENTITY_ANNOTATIONS` of the decoder). */
  readonly annotations: Readonly<Record<string, string>>
}

/** The fields of a core/v1 Node that metadata answers are made from. */
export interface Node {
  readonly name: string
  readonly uid: string
  readonly createdAt: number
  readonly labels: Readonly<Record<string, string>>
  /** `spec.providerID`, e.g. `gce://project/zone/name`. */
  readonly providerId: string | undefined
  /** `status.addresses` of type InternalIP. */
  readonly internalIps: readonly string[]
  readonly hostname: string | undefined
}

/** `namespace/name`, the key of a namespaced object. */
export function objectKey(object: { readonly namespace: string; readonly name: string }): string {
  return `${object.namespace}/${object.name}`
}
