import { isRecord } from './is-record.ts'
import { type KubernetesObject, type PodObject, timestamp } from './kubernetes-object.ts'
import type { ObjectStore } from './object-store.ts'
import type { ServiceAccountTokens } from './service-account-tokens.ts'
import { StatusError } from './status-error.ts'

const KIND = 'TokenRequest.authentication.k8s.io'
const DEFAULT_SECONDS = 3_600
const MIN_SECONDS = 600
/** What a cluster sets by `--service-account-max-token-expiration`. */
const MAX_SECONDS = 86_400

/** Which ServiceAccount's token to create, and how. */
export interface CreateTokenRequest {
  readonly store: ObjectStore
  readonly tokens: ServiceAccountTokens
  readonly namespace: string
  readonly name: string
  readonly body: Readonly<Record<string, unknown>>
  /** Milliseconds since the epoch. */
  readonly now: number
}

/**
 * Answers a TokenRequest (authentication.k8s.io/v1).
 *
 * @throws StatusError 404 for an unknown ServiceAccount or pod, 409 for a pod of another UID, 400 for a pod of another
 * ServiceAccount, 422 for a life of less than ten minutes; a longer one than allowed is cut
 */
export async function createToken({
  store,
  tokens,
  namespace,
  name,
  body,
  now,
}: CreateTokenRequest): Promise<unknown> {
  const serviceAccount = store.serviceaccounts.get(`${namespace}/${name}`)
  if (!serviceAccount) throw StatusError.notFound('serviceaccounts', name)
  const spec = isRecord(body.spec) ? body.spec : {}
  const audiences = readAudiences(spec.audiences)
  const wanted = readSeconds(spec.expirationSeconds)
  const expirationSeconds = Math.min(wanted, MAX_SECONDS)
  const reference = spec.boundObjectRef ?? undefined
  const pod = reference === undefined ? undefined : findPod(store, serviceAccount, reference)
  const { token, exp } = await tokens.mint({ serviceAccount, pod, audiences, expirationSeconds })
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, creationTimestamp: timestamp(now) },
    spec: { audiences, expirationSeconds, boundObjectRef: reference ?? null },
    status: { token, expirationTimestamp: timestamp(exp * 1000) },
  }
}

function readAudiences(value: unknown): readonly string[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value) && value.every((audience) => typeof audience === 'string')) return value
  throw StatusError.badRequest('spec.audiences must be a list of strings')
}

function readSeconds(value: unknown): number {
  const seconds = value ?? DEFAULT_SECONDS
  if (!Number.isSafeInteger(seconds))
    throw StatusError.badRequest('spec.expirationSeconds must be a whole number')
  if ((seconds as number) < MIN_SECONDS) {
    const message = `Invalid value: ${seconds}: may not specify a duration less than 10 minutes`
    throw StatusError.invalid(KIND, '', 'spec.expirationSeconds', message)
  }
  if ((seconds as number) > 2 ** 32) {
    const message = `Invalid value: ${seconds}: may not specify a duration larger than 2^32 seconds`
    throw StatusError.invalid(KIND, '', 'spec.expirationSeconds', message)
  }
  return seconds as number
}

function findPod(store: ObjectStore, serviceAccount: KubernetesObject, reference: unknown): PodObject {
  if (!isRecord(reference)) throw StatusError.badRequest('spec.boundObjectRef must be an object')
  if (reference.kind !== 'Pod' || reference.apiVersion !== 'v1') {
    throw StatusError.badRequest(
      `cannot bind token to object of type ${reference.apiVersion}, Kind=${reference.kind}`,
    )
  }
  const name = String(reference.name ?? '')
  const pod = store.pods.get(`${serviceAccount.metadata.namespace}/${name}`)
  if (!pod) throw StatusError.notFound('pods', name)
  if (pod.spec.serviceAccountName !== serviceAccount.metadata.name) {
    throw StatusError.badRequest(
      `cannot bind token for serviceaccount "${serviceAccount.metadata.name}" to pod running with different serviceaccount name.`,
    )
  }
  if (reference.uid && reference.uid !== pod.metadata.uid) {
    throw new StatusError(
      409,
      'Conflict',
      `Operation cannot be fulfilled on Pod "${name}": the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      { name, kind: 'Pod' },
    )
  }
  return pod
}
