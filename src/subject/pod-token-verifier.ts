import { createHash } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import type { KubernetesClient } from '../kubernetes/client.ts'
import { fields, text } from '../kubernetes/json-fields.ts'
import type { Clock } from '../lib/clock.ts'
import { MetadatadError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { MAX_TOKEN_BYTES } from './check-subject-token.ts'
import { ClusterKeys, type IssuerKeys } from './cluster-keys.ts'

/** Whose a service-account token is, by its verified claims (KEP-1205). */
export interface VerifiedPodToken {
  /** The one of the accepted audiences that it is for. */
  readonly audience: string
  readonly podUid: string
  readonly serviceAccountUid: string
}

/** What a verifier works with. */
export interface PodTokenVerifierOptions {
  /** Audiences that are accepted; by default what EKS Pod Identity's tokens are for. */
  readonly audiences?: readonly string[]
  readonly client: KubernetesClient
  readonly clock: Clock
  readonly log: Log
}

/** Verifies service-account tokens that pods present. */
export interface PodTokenVerifier {
  /**
   * Signature by a key of the cluster's issuer, audience, times, and a pod that it is bound to. Whether that is the pod that
   * presents it is for the caller to compare.
   *
   * @param jwt as sent; anything at all
   * @throws MetadatadError `REQUEST_INVALID` if the token is not good; `KUBERNETES_*` if that could not be found out
   */
  verify(jwt: string, signal: AbortSignal): Promise<VerifiedPodToken>
}

interface Verified {
  readonly token: VerifiedPodToken
  /** The keys that its signature was verified with. */
  readonly by: IssuerKeys
  readonly expiresAt: number
}

const EKS_AUDIENCE = 'pods.eks.amazonaws.com'
/** What the API server signs with, by the kind and curve of its key. Never an HMAC, never `none`. */
const ALGORITHMS = ['RS256', 'ES256', 'ES384', 'ES512']
/** The API server's clock may be ahead of the node's: it allows itself as much for `nbf`. */
const MAX_SKEW_SECONDS = 60

/** See {@link PodTokenVerifier}. */
export function createPodTokenVerifier(options: PodTokenVerifierOptions): PodTokenVerifier {
  const { clock } = options
  const audiences = options.audiences ?? [EKS_AUDIENCE]
  const keys = new ClusterKeys(options)
  // SDKs present the same token with every request, and a signature costs more than all the rest of the answer.
  const verified = new LRUCache<string, Verified>({ max: 1_024 })

  async function keysFor(keyId: string, claims: JWTPayload, signal: AbortSignal): Promise<IssuerKeys> {
    // A cluster that renames its issuer may keep its keys.
    const fits = ({ issuer, keyIds }: IssuerKeys) => claims.iss === issuer && keyIds.has(keyId)
    const known = await keys.current(signal)
    if (fits(known)) return known
    const newer = await keys.newerThan(known, signal)
    if (fits(newer)) return newer
    // A token that is newer than the keys may be signed with one that was made since.
    if (Number(claims.iat) * 1000 > newer.askedAt) throw unknownKey()
    throw invalid('is of another issuer, or signed with a key that is not the cluster’s')
  }

  async function verifyAnew(jwt: string, signal: AbortSignal): Promise<Verified> {
    const { keyId, claims } = decode(jwt)
    if (isExpired(claims, clock.now())) throw invalid('has expired')
    const by = await keysFor(keyId, claims, signal)
    const { issuer, find } = by
    let payload: JWTPayload
    try {
      const verified = await jwtVerify(jwt, find, {
        issuer,
        audience: [...audiences],
        algorithms: ALGORITHMS,
        currentDate: new Date(clock.now()),
        clockTolerance: MAX_SKEW_SECONDS,
      })
      payload = verified.payload
    } catch (error) {
      if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud') {
        throw invalid(`is not for the audience ${audiences.join(' or ')}`)
      }
      throw invalid('has a wrong signature, issuer or time', error)
    }
    // The skew is not for the end of its life.
    if (isExpired(payload, clock.now())) throw invalid('has expired')
    const bound = fields(payload['kubernetes.io'])
    const podUid = text(fields(bound.pod).uid)
    const serviceAccountUid = text(fields(bound.serviceaccount).uid)
    if (podUid === undefined || serviceAccountUid === undefined) throw invalid('is bound to no pod')
    const audience = [payload.aud].flat().find((it) => it !== undefined && audiences.includes(it))!
    return { token: { audience, podUid, serviceAccountUid }, by, expiresAt: payload.exp! * 1000 }
  }

  return {
    async verify(jwt, signal) {
      const digest = createHash('sha256').update(jwt).digest('base64')
      const known = verified.get(digest)
      // As long as the keys are those that it was verified with: a key that is withdrawn takes its tokens along.
      if (known !== undefined && known.expiresAt > clock.now() && known.by === (await keys.current(signal))) {
        return known.token
      }
      const anew = await verifyAnew(jwt, signal)
      verified.set(digest, anew)
      return anew.token
    },
  }
}

function decode(jwt: string): { keyId: string; claims: JWTPayload } {
  if (jwt.length > MAX_TOKEN_BYTES || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(jwt)) throw invalid('is no JWT')
  try {
    const { kid, alg } = decodeProtectedHeader(jwt)
    if (typeof kid === 'string' && ALGORITHMS.includes(alg ?? ''))
      return { keyId: kid, claims: decodeJwt(jwt) }
  } catch {
    throw invalid('is no JWT')
  }
  throw invalid('is not signed as Kubernetes signs')
}

/** True for a token without an end, too. */
function isExpired({ exp }: JWTPayload, now: number): boolean {
  return !(typeof exp === 'number' && exp * 1000 > now)
}

function invalid(reason: string, cause?: unknown): MetadatadError {
  return new MetadatadError('REQUEST_INVALID', `presented service account token ${reason}`, {
    retryable: false,
    fault: 'caller',
    publicMessage: `The service account token in the Authorization header ${reason}. Send the projected token of this pod as it is.`,
    cause,
  })
}

function unknownKey(): MetadatadError {
  return new MetadatadError(
    'KUBERNETES_UNAVAILABLE',
    'presented service account token is newer than the keys',
    {
      retryable: true,
      fault: 'upstream',
      publicMessage: 'The key of this service account token is not known yet. Try again in some seconds.',
    },
  )
}
