import type { Pod } from '../../kubernetes/types.ts'
import type { Clock } from '../../lib/clock.ts'
import { MetadatadError } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { Metrics } from '../../lib/metrics.ts'
import type { AddressClaim } from '../address-claim.ts'
import type { Connection } from '../caller.ts'
import type { LiveReader } from '../live-reader.ts'
import { ownsAddresses } from '../owns-addresses.ts'
import type { PodIndex } from '../pod-index.ts'
import type { Attempt, IdentificationStrategy } from '../strategy.ts'
import type { HostView } from './host-view.ts'
import { PodLookup } from './pod-lookup.ts'
import { PodNamespaces } from './pod-namespaces.ts'
import { translatesAddresses } from './translates-addresses.ts'
import { unprovedCaller } from './unproved-caller.ts'

/** How to make the strategy. */
export interface ProofStrategyOptions {
  /** What becomes of a pod about which the host's kernel can prove nothing: refused, or left to the next strategy. */
  readonly mode: 'require' | 'prefer'
  readonly host: HostView
  readonly pods: PodIndex
  readonly reader: LiveReader
  /** Names of RuntimeClasses whose pods have a network stack of their own. */
  readonly sandboxedRuntimes: readonly string[]
  readonly clock: Clock
  readonly metrics: Metrics
  readonly log: Log
}

/** What a connection was found to be, for its life: the pod's, or as long as the claim holds the next strategy's to tell. */
type Finding = { readonly uid: string } | { readonly leftWhile: AddressClaim }

/** Nothing announces a socket or an address of another namespace: a caller that is held is looked for this often. */
const AGAIN_MS = 50

/**
 * Ties a connection to the pod in whose network namespace the kernel shows its other end: a socket from the peer's address
 * and port to the metadata address behind the listener. What the API server says of the address decides nothing but this:
 *
 * - Where another pod's namespace holds the address too (somebody has taken it), the pod that proves is answered only if the
 *   API server gives the address to it alone.
 * - Where the API server gives the address to another pod, that one must be seen to be gone or without the address.
 *
 * In both cases, and where the API server does not know the address, every namespace of the node is looked at again after the
 * question, so that no holder is missed. The proof holds for the life of the connection: TCP gives a socket one namespace.
 *
 * A pod whose phase is Succeeded or Failed is told by the kernel as any other: the kubelet says Failed of an evicted pod
 * while its containers are still ending, and who they are does not change by that.
 *
 * What remains: a pod with `CAP_NET_ADMIN` can build a neighbour's connection in its own namespace and so have that one
 * refused as ambiguous. And where neighbours share a bridge, one that can redirect frames (`CAP_NET_RAW`, `CAP_NET_ADMIN`) and
 * kept the end of an old connection from its owner may go on with it, for the owner's kernel still shows it as open.
 */
export function createProofStrategy(options: ProofStrategyOptions): IdentificationStrategy {
  const { pods, reader, mode } = options
  const namespaces = new PodNamespaces({
    ...options,
    isHosts: (uid) => pods.byUid(uid)?.hostNetwork === true,
  })
  const lookup = new PodLookup(options)
  const findings = new WeakMap<Connection, Finding>()

  function translates(pod: Pod): boolean {
    return translatesAddresses(pod, options.sandboxedRuntimes)
  }

  /** Undefined if nothing can be proved about the pod that owns the address, and nobody else has it. */
  async function find(attempt: Attempt): Promise<Finding> {
    const { connection } = attempt
    const address = connection.remoteAddress
    const peer = { address, port: connection.remotePort }
    for (const isLast of [false, true]) {
      const expected = soleOwner(pods.claim(address).owners)
      const isKnown =
        !isLast &&
        expected !== undefined &&
        !translates(expected) &&
        namespaces.holders(address).some(({ uid }) => uid === expected.uid)
      if (!isKnown) await scan()

      const holders = namespaces.holders(address)
      const claim = pods.claim(address)
      const owner = soleOwner(claim.owners)
      if (mode === 'prefer' && !isKnown && owner !== undefined && translates(owner)) {
        const isOnlyHolder = holders.every(({ uid }) => uid === owner.uid)
        if (isOnlyHolder && namespaces.hasCgroup(owner.uid)) return { leftWhile: claim }
      }
      const tables = await readAll(holders)
      const provers = holders.filter((_, i) =>
        connection.dialled.some((remote) => tables[i]?.has(peer, remote)),
      )
      if (provers.length > 1) throw ambiguousCaller()
      const [prover] = provers
      if (prover === undefined) continue
      if (soleOwner(pods.claim(address).owners)?.uid === prover.uid) return { uid: prover.uid }
      if (isKnown) continue
      const rivals = pods.claim(address).owners.filter(({ uid }) => uid !== prover.uid)
      if (holders.length === 1 && rivals.every((rival) => isWithout(rival, address)))
        return { uid: prover.uid }
      const live = (await reader.readSince(attempt.mark)).pods.filter(
        (pod) => ownsAddresses(pod) && pod.ips.includes(address),
      )
      if (soleOwner(live)?.uid === prover.uid) return { uid: prover.uid }
    }
    throw unprovedCaller()
  }

  /** Does the kernel show that no connection of the pod comes from the address? */
  function isWithout(pod: Pod, address: string): boolean {
    return namespaces.isGone(pod.uid) || (!translates(pod) && namespaces.lacks(pod.uid, address))
  }

  async function scan(): Promise<void> {
    try {
      await namespaces.scan()
    } catch (cause) {
      throw unprovedCaller(cause)
    }
  }

  async function readAll(holders: ReturnType<PodNamespaces['holders']>) {
    try {
      return await Promise.all(holders.map((holder) => holder.read()))
    } catch (cause) {
      throw unprovedCaller(cause)
    }
  }

  return {
    name: 'kernel',

    prepare: () => namespaces.scan().catch(() => {}),

    recall({ connection }) {
      const finding = findings.get(connection)
      if (finding === undefined) return 'ask'
      if ('uid' in finding) return lookup.recall(finding.uid) ?? 'ask'
      return finding.leftWhile.valid ? undefined : 'ask'
    },

    async identify(attempt) {
      const { connection } = attempt
      let finding = findings.get(connection)
      if (finding === undefined || !('uid' in finding)) {
        finding = await find(attempt)
        findings.set(connection, finding)
      }
      if (!('uid' in finding)) return undefined
      const { uid } = finding
      const owner = soleOwner(pods.claim(connection.remoteAddress).owners)
      // The cgroup of a static pod is named after its file's hash, and its mirror in the API server has a UID of its own: a
      // UUID, as every pod's that the API server knows.
      const isStatic = owner?.serviceAccountName === '' && !uid.includes('-') && pods.byUid(uid) === undefined
      const identification = isStatic ? lookup.recall(owner.uid) : await lookup.find(uid, attempt.mark)
      if (identification === undefined) throw unknownPod()
      return identification
    },
  }
}

function soleOwner(owners: readonly Pod[]): Pod | undefined {
  return owners.length === 1 ? owners[0] : undefined
}

function ambiguousCaller(): MetadatadError {
  return new MetadatadError('CALLER_AMBIGUOUS', 'the kernel shows the connection in more than one pod', {
    fault: 'upstream',
    retryable: true,
    retryAfterMs: AGAIN_MS,
    publicMessage:
      'More than one pod of this node shows the same connection at the moment, so none is answered. Try again in a moment.',
  })
}

function unknownPod(): MetadatadError {
  return new MetadatadError('CALLER_UNKNOWN', 'the API server does not know the pod that the kernel shows', {
    fault: 'upstream',
    retryable: true,
    retryAfterMs: AGAIN_MS,
    publicMessage:
      'The metadata daemon does not know the calling pod yet, or it has been deleted. Try again in a moment.',
  })
}
