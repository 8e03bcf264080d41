/** How big the cluster is: as the largest nodes, and many companies' clusters, are. */
export const SIZE = {
  nodes: 46,
  pods: 5_000,
  /** Of the pods, those of the daemon's node; each has a ServiceAccount of its own, annotated. */
  nodePods: 110,
  serviceAccounts: 10_000,
  /** Of the ServiceAccounts, those with an identity annotation. */
  annotated: 500,
} as const
