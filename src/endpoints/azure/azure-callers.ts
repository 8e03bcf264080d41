import type { CredentialHolder, CredentialSpec } from '../../credentials/credentials.ts'
import type { AzureIdentity } from '../../identity/azure-identity.ts'
import { CallerMemo } from '../caller-memo.ts'
import { remembered } from '../remembered.ts'
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

/** Every caller's identity, by {@link CallerMemo}: `of` throws MetadatadError `IDENTITY_*`. */
export function createAzureCallers(pipeline: AzurePipeline): CallerMemo<AzureCaller> {
  return new CallerMemo((caller, holder) => {
    const identity = pipeline.resolve(caller)
    const entries = new Map<string, AzureTokenEntry>()
    return {
      holder,
      token: (query) => remembered(entries, query, () => entryOf(pipeline, identity, query)),
    }
  })
}

function entryOf(pipeline: AzurePipeline, identity: AzureIdentity, raw: string): AzureTokenEntry {
  const query = tokenQuery(raw)
  const clientId = pipeline.clientId(identity, query.selector)
  return { query, spec: pipeline.accessToken(identity, clientId, query.resource) }
}
