import type { CredentialHolder, SubjectTokenWish } from '../exchange/credential-spec.ts'
import type { Pod } from '../kubernetes/types.ts'
import { MetadatadError } from '../lib/errors.ts'
import type { Secret } from '../lib/secret.ts'
import type { SubjectTokens } from '../subject/subject-tokens.ts'

/** How to make a {@link SubjectSource}. */
export interface SubjectSourceOptions {
  readonly tokens: SubjectTokens
  /** The pod with this UID, if it is known. */
  readonly podByUid: (uid: string) => Pod | undefined
  /** `subjectToken.expiration`, in seconds: nobody gets a longer life. */
  readonly expirationSeconds: number
}

/** A holder's service-account token, as `credentials/` asks for it. */
export type SubjectSource = (
  holder: CredentialHolder,
  audience: string,
  wish: SubjectTokenWish,
  signal: AbortSignal,
) => Promise<Secret>

/** Takes subject tokens for holders of credentials: see {@link SubjectSource}. */
export function createSubjectSource(options: SubjectSourceOptions): SubjectSource {
  return async (holder, audience, wish, signal) => {
    const pod = options.podByUid(holder.uid)
    if (pod === undefined) {
      throw new MetadatadError('SUBJECT_TOKEN_POD_GONE', 'the pod is not known any more', {
        fault: 'caller',
        retryable: false,
        publicMessage: 'The pod that asked is being deleted.',
      })
    }
    const { serviceAccountUid } = holder
    // What a tenant annotates can make a token's life shorter than the operator wants it, but not longer.
    const expirationSeconds = Math.min(wish.expirationSeconds ?? Infinity, options.expirationSeconds)
    const request = { pod, serviceAccountUid, audience, expirationSeconds, renew: wish.renew }
    return (await options.tokens.get(request, signal)).token
  }
}
