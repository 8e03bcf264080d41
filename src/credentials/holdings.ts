import type { CredentialHolder, CredentialSpec } from '../exchange/credential-spec.ts'
import type { MetadatadError } from '../lib/errors.ts'
import { callerChanged, credentialLimit } from './credential-errors.ts'
import { type Entry, type Holding, newEntry } from './entry.ts'
import type { CredentialLimits } from './limits.ts'

/** What is kept for one ServiceAccount. */
interface Principal {
  readonly entries: Set<Entry>
  /** Those that all of its pods share, by the specification's key. */
  readonly shared: Map<string, Entry>
}

/** Which pod uses which entry, within the bounds. */
export interface Holdings {
  /** Number of entries. */
  readonly size: number
  /** The pod's use of the credential, if it has one; it becomes the last used. */
  find(spec: CredentialSpec, holder: CredentialHolder): Holding | undefined
  /**
   * The pod's use of the credential, entered if need be.
   * @throws MetadatadError `CREDENTIAL_LIMIT`
   */
  hold(spec: CredentialSpec, holder: CredentialHolder): Holding
  ofPod(uid: string): readonly Holding[]
  ofServiceAccount(uid: string): readonly Entry[]
  all(): readonly Entry[]
  /** The pod no longer uses the entry; the last one gone takes it along. */
  release(holding: Holding, reason?: MetadatadError): void
  /** The entry is gone for all its pods. `reason` is for the requests that wait for it; there are none without. */
  drop(entry: Entry, reason?: MetadatadError): void
}

/**
 * Every pod has a table of its own, and is only ever answered from it. What gets into the table is either new or shared
 * by pods with the same ServiceAccount UID: there is no other way to another pod's credential.
 *
 * @param dropped called for each entry that leaves, to end what it has under way
 */
export function createHoldings(
  limits: CredentialLimits,
  dropped: (entry: Entry, reason: MetadatadError | undefined) => void,
): Holdings {
  const pods = new Map<string, Map<string, Holding>>()
  const principals = new Map<string, Principal>()
  let size = 0
  let uses = 0

  function find(spec: CredentialSpec, holder: CredentialHolder): Holding | undefined {
    const holding = pods.get(holder.uid)?.get(spec.key)
    // A ServiceAccount that was deleted and made again is another principal, though the pod is the same.
    if (holding?.entry.serviceAccountUid !== holder.serviceAccountUid) return undefined
    holding.lastUsed = ++uses
    return holding
  }

  function remove(holding: Holding, reason: MetadatadError | undefined): void {
    const { entry, holder } = holding
    holding.revoked = reason
    entry.holdings.delete(holder.uid)
    const table = pods.get(holder.uid)
    table?.delete(entry.spec.key)
    if (table?.size === 0) pods.delete(holder.uid)
  }

  function drop(entry: Entry, reason?: MetadatadError): void {
    const principal = principals.get(entry.serviceAccountUid)
    if (!principal?.entries.delete(entry)) return
    size--
    for (const holding of entry.holdings.values()) remove(holding, reason)
    if (principal.shared.get(entry.spec.key) === entry) principal.shared.delete(entry.spec.key)
    if (principal.entries.size === 0) principals.delete(entry.serviceAccountUid)
    dropped(entry, reason)
  }

  function release(holding: Holding, reason?: MetadatadError): void {
    remove(holding, reason)
    if (holding.entry.holdings.size === 0) drop(holding.entry, reason)
  }

  /** Only the pod's own entries make room for the pod's: nobody can push out another's. */
  function makeRoom(podUid: string, needsEntry: boolean): void {
    for (;;) {
      const table = pods.get(podUid)
      const podFull = (table?.size ?? 0) >= limits.entriesPerPod
      if (!podFull && !(needsEntry && size >= limits.entriesPerNode)) return
      let idle: Holding | undefined
      for (const holding of table?.values() ?? []) {
        if (holding.entry.flight || holding.waiting > 0) continue
        if (idle === undefined || holding.lastUsed < idle.lastUsed) idle = holding
      }
      if (idle === undefined) throw credentialLimit(podFull ? 'entries per pod' : 'entries per node')
      release(idle)
    }
  }

  function enter(spec: CredentialSpec, serviceAccountUid: string): Entry {
    const entry = newEntry(spec, serviceAccountUid)
    let principal = principals.get(serviceAccountUid)
    if (principal === undefined) {
      principal = { entries: new Set(), shared: new Map() }
      principals.set(serviceAccountUid, principal)
    }
    principal.entries.add(entry)
    if (spec.shareBy === 'serviceAccount') principal.shared.set(spec.key, entry)
    size++
    return entry
  }

  function hold(spec: CredentialSpec, holder: CredentialHolder): Holding {
    const present = find(spec, holder)
    if (present) return present
    const replaced = pods.get(holder.uid)?.get(spec.key)
    if (replaced) release(replaced, callerChanged())
    const account = holder.serviceAccountUid
    const shared =
      spec.shareBy === 'serviceAccount' ? principals.get(account)?.shared.get(spec.key) : undefined
    makeRoom(holder.uid, shared === undefined)
    const entry = shared ?? enter(spec, account)
    const holding: Holding = {
      entry,
      holder,
      lastUsed: ++uses,
      launched: undefined,
      waiting: 0,
      lost: false,
      revoked: undefined,
    }
    entry.holdings.set(holder.uid, holding)
    const table = pods.get(holder.uid)
    if (table) table.set(spec.key, holding)
    else pods.set(holder.uid, new Map([[spec.key, holding]]))
    return holding
  }

  return {
    get size() {
      return size
    },
    find,
    hold,
    ofPod: (uid) => [...(pods.get(uid)?.values() ?? [])],
    ofServiceAccount: (uid) => [...(principals.get(uid)?.entries ?? [])],
    all: () => [...principals.values()].flatMap((principal) => [...principal.entries]),
    release,
    drop,
  }
}
