import type { SandboxTaint } from '../sandbox-types.ts'

/** `metadata` of an object (meta/v1 ObjectMeta), as far as the sandbox keeps it. */
export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid: string
  readonly resourceVersion: string
  /** RFC 3339, whole seconds. */
  readonly creationTimestamp: string
  readonly deletionTimestamp?: string
  readonly deletionGracePeriodSeconds?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** Any object of the API. Objects are never changed once stored: a change is a new object. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}

/** A core/v1 Pod, as far as the sandbox reads its own pods. */
export interface PodObject extends KubernetesObject {
  readonly spec: {
    readonly nodeName?: string
    readonly serviceAccountName?: string
    readonly [field: string]: unknown
  }
  readonly status: {
    readonly phase: string
    readonly podIP?: string
    readonly podIPs?: readonly { readonly ip: string }[]
    readonly conditions: readonly PodCondition[]
    readonly [field: string]: unknown
  }
}

/** A core/v1 Node, as far as the sandbox reads its own nodes. */
export interface NodeObject extends KubernetesObject {
  readonly spec?: { readonly taints?: readonly SandboxTaint[]; readonly [field: string]: unknown }
}

/** One of a pod's `status.conditions`. */
export interface PodCondition {
  readonly type: string
  readonly status: 'True' | 'False'
  readonly lastProbeTime: null
  readonly lastTransitionTime: string
}

/** The time as the API writes it (meta/v1 Time): RFC 3339 in UTC, whole seconds. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
