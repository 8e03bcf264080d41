import { createHash } from 'node:crypto'
import { NodeFacts } from '../node-facts.ts'
import type { GoogleFacts, GoogleFactValues } from './google-pipeline.ts'

/** The fields of a Kubernetes Node that facts are made from (`kubernetes/types.ts` Node). */
export interface FactsNode {
  readonly uid: string
  readonly labels: Readonly<Record<string, string>>
}

/** What the operator says. */
export interface InstanceFactsOptions {
  readonly projectId: string
  readonly numericProjectId?: string | undefined
  readonly nodeName: string
  readonly clusterName?: string | undefined
  /** Zone or region of the cluster; stands in for the zone of a node without a zone label. */
  readonly clusterLocation?: string | undefined
  /** UID of the namespace `kube-system`, as GKE has it. */
  readonly clusterUid?: string | undefined
  readonly universeDomain: string
}

/** See {@link NodeFacts}. */
export class InstanceFacts extends NodeFacts<FactsNode, GoogleFactValues> implements GoogleFacts {
  readonly #listeners = new Set<() => void>()

  constructor(options: InstanceFactsOptions) {
    super((node) => factsOf(options, node))
  }

  override update(node: FactsNode): void {
    const before = this.current()
    super.update(node)
    if (this.current() === before) return
    for (const listener of [...this.#listeners]) listener()
  }

  onChange(fn: () => void): () => void {
    this.#listeners.add(fn)
    return () => this.#listeners.delete(fn)
  }
}

function factsOf(options: InstanceFactsOptions, node: FactsNode | undefined): GoogleFactValues {
  return {
    projectId: options.projectId,
    numericProjectId: options.numericProjectId,
    zone: node?.labels['topology.kubernetes.io/zone'] || options.clusterLocation,
    instanceId: node && instanceId(node.uid),
    hostname: `${options.nodeName}.c.${dnsProject(options.projectId)}.internal`,
    nodeName: options.nodeName,
    clusterName: options.clusterName,
    clusterLocation: options.clusterLocation,
    clusterUid: options.clusterUid,
    universeDomain: options.universeDomain,
  }
}

/** Clients read it as a 64-bit integer, many as a signed one. */
function instanceId(nodeUid: string): string {
  const hash = createHash('sha256').update(nodeUid).digest().readBigUInt64BE()
  return String(hash >> 1n)
}

/** `example.com:my-project` is `my-project.example.com` in names (Compute Engine, internal DNS of domain-scoped projects). */
function dnsProject(projectId: string): string {
  const colon = projectId.indexOf(':')
  return colon < 0 ? projectId : `${projectId.slice(colon + 1)}.${projectId.slice(0, colon)}`
}
