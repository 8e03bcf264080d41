import type { CredentialHolder, CredentialSpec } from '../../credentials/credentials.ts'
import type { AzureIdentity } from '../../identity/azure-identity.ts'
import { CallerMemo } from '../caller-memo.ts'
import type { AzureAccessToken, AzurePipeline } from './azure-pipeline.ts'
import { type TokenQuery, tokenQuery } from './token-query.ts'

/** What was worked out for a pod with its ServiceAccount as they are now. */
export interface AzureCaller {
  readonly holder: CredentialHolder
  /**
   * By raw query string.
   * @throws MetadatadError `REQUEST_INVALID`, `IDENTITY_*`
   */
  token(query: string): AzureTokenEntry
}

/** A token that was asked for. */
export interface AzureTokenEntry {
  readonly query: TokenQuery
  readonly spec: CredentialSpec<AzureAccessToken>
}

/** Spellings of one pod's requests that are remembered; clients have one each. */
const MAX_REMEMBERED = 16

/** Every caller's identity, by {@link CallerMemo}: `of` throws MetadatadError `IDENTITY_*`. */
export function createAzureCallers(pipeline: AzurePipeline): CallerMemo<AzureCaller> {
  return new CallerMemo((caller, holder) => {
    const identity = pipeline.resolve(caller)
    const entries = new Map<string, AzureTokenEntry>()
    return {
      holder,
      token(query) {
        const known = entries.get(query)
        if (known !== undefined) return known
        const entry = entryOf(pipeline, identity, query)
        // The oldest goes first: a pod that never spells its request twice alike keeps no more than this.
        if (entries.size === MAX_REMEMBERED) entries.delete(entries.keys().next().value!)
        entries.set(query, entry)
        return entry
      },
    }
  })
}

function entryOf(pipeline: AzurePipeline, identity: AzureIdentity, raw: string): AzureTokenEntry {
  const query = tokenQuery(raw)
  const clientId = pipeline.clientId(identity, query.selector)
  return { query, spec: pipeline.accessToken(identity, clientId, query.resource) }
}
