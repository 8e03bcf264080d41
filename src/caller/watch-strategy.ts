import type { Pod } from '../kubernetes/types.ts'
import type { Clock } from '../lib/clock.ts'
import { MetadatadError } from '../lib/errors.ts'
import type { AddressClaim } from './address-claim.ts'
import type { LiveRead, LiveReader } from './live-reader.ts'
import { ownsAddresses } from './owns-addresses.ts'
import type { PodIndex } from './pod-index.ts'
import type { Attempt, Identification, IdentificationStrategy } from './strategy.ts'

/** How to make the strategy. */
export interface WatchStrategyOptions {
  readonly index: PodIndex
  readonly reader: LiveReader
  /** When the watch of pods last heard from the API server (ms since the epoch); 0 before the first complete list. */
  readonly watchConfirmedAt: () => number
  /** A pod that nothing has confirmed for this long (ms) is confirmed before a new connection is answered; 0: always. */
  readonly confirmWithinMs: number
  /** Answer for a pod that can't be confirmed because the API server can't be reached. */
  readonly serveUnconfirmed: boolean
  readonly clock: Clock
}

/** By then the watch shows what a live read has found, or it is gone again and was never shown. */
const READ_LASTS_MS = 30_000

/**
 * Ties a connection to a pod by its source address and what the API server says of the node's pods: the watch where it is
 * fresh and unambiguous, else one live read that is newer than the connection.
 */
export function createWatchStrategy(options: WatchStrategyOptions): IdentificationStrategy {
  const { index, reader, clock, confirmWithinMs } = options

  const lookedAt = new WeakMap<AddressClaim, number>()

  /** A moment that is yet to come says only that the clock was set back. */
  function isFresh(confirmedAt: number): boolean {
    const age = clock.now() - confirmedAt
    return confirmWithinMs > 0 && age >= 0 && age <= confirmWithinMs
  }

  /** The live reader's mark when the claim was first looked at: a read from before may be older than what the watch says. */
  function markOf(claim: AddressClaim): number {
    const mark = lookedAt.get(claim) ?? reader.mark()
    lookedAt.set(claim, mark)
    return mark
  }

  /** A recent live read vouches for what it saw, not for what the watch shows: the two may disagree. */
  function isConfirmed(owner: Pod, address: string): boolean {
    if (isFresh(options.watchConfirmedAt())) return true
    const last = reader.last
    if (last === undefined || !isFresh(last.askedAt)) return false
    const owners = ownersOf(address, last.pods)
    return owners.length === 1 && owners[0]!.uid === owner.uid
  }

  function byWatch(attempt: Attempt, claim: AddressClaim): Identification | undefined {
    const [owner, second] = claim.owners
    if (owner === undefined || second !== undefined) return undefined
    const confirmed = owner.uid === attempt.knownUid || isConfirmed(owner, attempt.connection.remoteAddress)
    return confirmed ? found(owner, claim) : undefined
  }

  /** Whom the watch names, if that is to do where the API server says nothing, and it said nothing else since. */
  function ownerUnconfirmed(claim: AddressClaim, address: string): Pod | undefined {
    const [owner, second] = claim.owners
    if (!options.serveUnconfirmed || owner === undefined || second !== undefined) return undefined
    const { last } = reader
    if (last === undefined || last.askedAt <= options.watchConfirmedAt()) return owner
    const owners = ownersOf(address, last.pods)
    return owners.length === 1 && owners[0]!.uid === owner.uid ? owner : undefined
  }

  return {
    name: 'watch',

    recall: (attempt) => byWatch(attempt, index.claim(attempt.connection.remoteAddress)),

    async identify(attempt) {
      const address = attempt.connection.remoteAddress
      const claim = index.claim(address)
      const known = byWatch(attempt, claim)
      if (known !== undefined) return known
      // Nobody by that address, and the watch is fresh: the event that names it is on its way, or it is a stranger.
      if (claim.owners.length === 0 && isFresh(options.watchConfirmedAt())) throw unknownCaller()

      let read: LiveRead
      try {
        read = await reader.readSince(Math.max(attempt.mark, markOf(claim)))
      } catch (error) {
        const owner = ownerUnconfirmed(claim, address)
        if (owner !== undefined) return found(owner, claim)
        throw error
      }
      const [owner, second] = ownersOf(address, read.pods)
      if (second !== undefined) throw ambiguousCaller()
      if (owner === undefined) throw unknownCaller()
      // Tied to the claim of before the read: any event about the address since then asks the question anew.
      const foundAt = clock.now()
      return found(owner, claim, () => clock.now() - foundAt < READ_LASTS_MS)
    },
  }
}

function ownersOf(address: string, pods: readonly Pod[]): readonly Pod[] {
  return pods.filter((pod) => ownsAddresses(pod) && pod.ips.includes(address))
}

function found(pod: Pod, claim: AddressClaim, lasts = () => true): Identification {
  return {
    pod,
    get valid() {
      return claim.valid && lasts()
    },
  }
}

function unknownCaller(): MetadatadError {
  return new MetadatadError('CALLER_UNKNOWN', 'no pod of this node owns the source address', {
    fault: 'caller',
    retryable: true,
    publicMessage:
      'The metadata daemon does not know which pod is calling: no pod of this node has the source address yet. ' +
      'Try again; if it persists, the pod may have a second network, or its address is translated on the way.',
  })
}

function ambiguousCaller(): MetadatadError {
  return new MetadatadError('CALLER_AMBIGUOUS', 'more than one pod of this node owns the source address', {
    fault: 'upstream',
    retryable: true,
    publicMessage:
      'More than one pod of this node has the source address at the moment, so none is answered. Try again in a moment.',
  })
}
