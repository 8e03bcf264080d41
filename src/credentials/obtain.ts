import type {
  Credential,
  CredentialHolder,
  CredentialSpec,
  ObtainContext,
  SubjectTokenWish,
} from '../exchange/credential-spec.ts'
import { asError } from '../lib/as-error.ts'
import type { Secret } from '../lib/secret.ts'
import { callerChanged } from './credential-errors.ts'
import type { Entry, Holding } from './entry.ts'

/** What obtaining needs of the rest of the cache. */
export interface Sources {
  subjectToken(
    holder: CredentialHolder,
    audience: string,
    wish: SubjectTokenWish,
    signal: AbortSignal,
  ): Promise<Secret>
  /** The credential that another is made from, cached like any other. `dead` is one that the cloud no longer takes. */
  prerequisite(
    spec: CredentialSpec,
    holder: CredentialHolder,
    signal: AbortSignal,
    dead: Credential | undefined,
  ): Promise<Credential>
}

/** The holder most likely to be alive: the last that asked, unless its token could not be had. */
export function likeliestHolding(entry: Entry): Holding | undefined {
  let best: Holding | undefined
  for (const holding of entry.holdings.values()) {
    if (best === undefined || (best.lost && !holding.lost)) best = holding
    else if (best.lost === holding.lost && holding.lastUsed > best.lastUsed) best = holding
  }
  return best
}

/**
 * Obtains the entry's credential in the name of one of its pods, and of one other if that pod turns out to be gone.
 *
 * @param preferred the pod in whose name it is done if that still holds the entry
 * @param carrier told which pod it is, before it is asked anything in its name
 * @throws whatever `CredentialSpec.obtain` threw
 */
export async function obtain(
  entry: Entry,
  preferred: Holding,
  sources: Sources,
  carrier: (holder: CredentialHolder) => void,
  signal: AbortSignal,
): Promise<Credential> {
  const first = entry.holdings.has(preferred.holder.uid) ? preferred : likeliestHolding(entry)
  if (first === undefined) throw callerChanged()
  try {
    return await attempt(entry, first, sources, carrier, signal)
  } catch (thrown) {
    const living = !first.lost && entry.holdings.has(first.holder.uid)
    const other = living || signal.aborted ? undefined : likeliestHolding(entry)
    if (other === undefined || other.lost) throw thrown
    return attempt(entry, other, sources, carrier, signal)
  }
}

async function attempt(
  entry: Entry,
  holding: Holding,
  sources: Sources,
  carrier: (holder: CredentialHolder) => void,
  signal: AbortSignal,
): Promise<Credential> {
  carrier(holding.holder)
  holding.lost = false
  try {
    return await entry.spec.obtain(contextOf(holding.holder, sources, signal))
  } catch (thrown) {
    holding.lost = asError(thrown).code === 'SUBJECT_TOKEN_POD_GONE'
    throw thrown
  }
}

function contextOf(holder: CredentialHolder, sources: Sources, signal: AbortSignal): ObtainContext {
  const given = new Map<string, Credential>()
  return {
    holder,
    signal,
    async subjectToken(audience, wish = {}) {
      if (signal.aborted) throw callerChanged()
      return sources.subjectToken(holder, audience, wish, signal)
    },
    async credential<C extends Credential>(spec: CredentialSpec<C>, renew = false) {
      if (signal.aborted) throw callerChanged()
      const credential = await sources.prerequisite(
        spec,
        holder,
        signal,
        renew ? given.get(spec.key) : undefined,
      )
      given.set(spec.key, credential)
      // One key is one credential, and so one type of it (`CredentialSpec.key`).
      return credential as C
    },
  }
}
