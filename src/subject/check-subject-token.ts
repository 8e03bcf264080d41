import { decodeJwt, type JWTPayload } from 'jose'
import { fields } from '../kubernetes/json-fields.ts'
import { Secret } from '../lib/secret.ts'
import { subjectError } from './subject-error.ts'
import type { SubjectToken, SubjectTokenRequest } from './subject-tokens.ts'

/** The API server gives out ten minutes at least, and a cloud needs some of them. */
const MIN_LIFE_MS = 120_000
/** Longer than any token that fits into a header. */
export const MAX_TOKEN_BYTES = 32 * 1024

/**
 * Looks whether a service-account token is what was asked for: for this audience and no other, of this pod (name and
 * UID) and of its ServiceAccount (name and UID), and good for two minutes at least. The signature is not verified: the cloud does that,
 * and this daemon only must never send it the token of *another* pod.
 *
 * @param jwt with the claims of a bound token (KEP-1205, `kubernetes.io.pod`)
 * @param now milliseconds since the epoch
 * @throws MetadatadError `SUBJECT_TOKEN_INVALID`; `SUBJECT_TOKEN_UNAVAILABLE` if it is only too old, or of a ServiceAccount
 * of the same name that was deleted
 */
export function checkSubjectToken(jwt: string, wanted: Wanted, now: number): SubjectToken {
  const claims = decode(jwt)
  const mismatch = mismatchOf(claims, wanted)
  if (mismatch !== undefined) {
    throw subjectError(
      'SUBJECT_TOKEN_INVALID',
      `service account token ${mismatch}`,
      "The service account token found for this pod is not the pod's own. Ask the operator of the cluster to look at the metadata daemon's log.",
    )
  }
  if (accountOf(claims).uid !== wanted.serviceAccountUid) {
    throw subjectError(
      'SUBJECT_TOKEN_UNAVAILABLE',
      'service account token is of a service account that was replaced',
      "The pod's service account was deleted and made again, and the token found for the pod is the first one's. Try again.",
    )
  }
  const expiresAt = Number(claims?.exp) * 1000
  if (expiresAt - now < MIN_LIFE_MS) {
    throw subjectError(
      'SUBJECT_TOKEN_UNAVAILABLE',
      'service account token has less than two minutes left',
      "The pod's service account token is about to end and was not renewed yet. Try again.",
    )
  }
  return { token: new Secret(jwt), expiresAt }
}

type Wanted = Pick<SubjectTokenRequest, 'pod' | 'serviceAccountUid' | 'audience'>

function accountOf(claims: JWTPayload | undefined): Readonly<Record<string, unknown>> {
  return fields(fields(claims?.['kubernetes.io']).serviceaccount)
}

function decode(jwt: string): JWTPayload | undefined {
  if (jwt.length > MAX_TOKEN_BYTES || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(jwt)) return undefined
  try {
    return decodeJwt(jwt)
  } catch {
    return undefined
  }
}

function mismatchOf(claims: JWTPayload | undefined, { pod, audience }: Wanted): string | undefined {
  if (claims === undefined) return 'is no JWT'
  const audiences = Array.isArray(claims.aud) ? claims.aud : [claims.aud]
  if (audiences.length !== 1 || audiences[0] !== audience) return 'is for another audience'
  const bound = fields(claims['kubernetes.io'])
  const { name, uid } = fields(bound.pod)
  if (uid !== pod.uid || name !== pod.name || bound.namespace !== pod.namespace)
    return 'is bound to another pod'
  const account = accountOf(claims).name
  if (account !== pod.serviceAccountName || account === '') return 'is of another service account'
  if (typeof claims.exp !== 'number' || !Number.isFinite(claims.exp)) return 'has no end'
  return undefined
}
