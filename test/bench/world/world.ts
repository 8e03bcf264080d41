/** How big the cluster is. */
export interface WorldSize {
  /** Pods of the daemon's node, each with its own annotated ServiceAccount and Google service account. */
  readonly nodePods: number
  /** Pods of the whole cluster. */
  readonly pods: number
  /** The node's pods have an AWS role and an Azure application too. */
  readonly threeClouds?: boolean
  /** ServiceAccounts of the whole cluster; beyond those of the node's pods, one in ten is annotated. */
  readonly serviceAccounts: number
}

/** Small clusters, and one that is as big as the largest nodes and many companies' clusters are. */
export const WORLDS = {
  small: { nodePods: 10, pods: 50, serviceAccounts: 100 },
  threeClouds: { nodePods: 10, pods: 50, serviceAccounts: 100, threeClouds: true },
  big: { nodePods: 110, pods: 5_000, serviceAccounts: 10_000 },
} as const satisfies Record<string, WorldSize>

/** The address of the node's pod with this number, from 0. */
export function podAddress(index: number): string {
  return `127.0.1.${index + 1}`
}

/** What the world's process tells when it is ready. */
export interface WorldReady {
  readonly configFile: string
}

/** What it can be asked: each message gets one answer. */
export type WorldQuestion =
  | { readonly ask: 'forget calls' }
  | { readonly ask: 'calls' }
  /** Answered with what EKS mounts into the node's pod with this number. */
  | { readonly ask: 'container token'; readonly pod: number }
  /** Answered when the call has been received so often since the calls were last forgotten. */
  | { readonly ask: 'received'; readonly call: string; readonly count: number }

/** How often each call of the cluster and of the cloud was received. */
export type Calls = Readonly<Record<string, number>>
