import type { CredentialHolder, CredentialSpec } from '../../credentials/credentials.ts'
import type { GoogleIdentity } from '../../identity/google-identity.ts'
import { CallerMemo } from '../caller-memo.ts'
import type { GoogleAnswer } from './google-answer.ts'
import type { GooglePipeline, TokenCredential } from './google-pipeline.ts'

/** What was worked out for a pod with its ServiceAccount as they are now. */
export interface GoogleCaller {
  readonly identity: GoogleIdentity
  readonly holder: CredentialHolder
  /** By raw query string. */
  readonly accessTokens: Map<string, TokenEntry>
  /** By raw query string. */
  readonly idTokens: Map<string, TokenEntry>
}

/** A credential that was asked for, and its last answer. */
export interface TokenEntry {
  readonly spec: CredentialSpec<TokenCredential>
  rendered: { credential: TokenCredential; secondsLeft: number; answer: GoogleAnswer } | undefined
}

/** Every caller's identity, by {@link CallerMemo}: `of` throws MetadatadError `IDENTITY_*`. */
export function createGoogleCallers(pipeline: GooglePipeline): CallerMemo<GoogleCaller> {
  return new CallerMemo((caller, holder) => ({
    identity: pipeline.resolve(caller),
    holder,
    accessTokens: new Map(),
    idTokens: new Map(),
  }))
}
