import type { ServiceAccount } from '../kubernetes/types.ts'
import { type AzureNames, azureApplications } from './azure-applications.ts'
import type { AzureIdentity } from './azure-identity.ts'
import type { AzureSelector } from './azure-selector.ts'
import { checkNamespace } from './check-namespace.ts'
import { identityError } from './identity-error.ts'
import { invalidAnnotation } from './invalid-annotation.ts'
import { parseGuid } from './parse-guid.ts'
import { parseSeconds } from './parse-seconds.ts'
import { printable } from './printable.ts'
import { refusedByRule } from './refused-by-rule.ts'
import type { IdentityRules } from './rules.ts'

const CLIENT_ANNOTATION = 'azure.workload.identity/client-id'
const TENANT_ANNOTATION = 'azure.workload.identity/tenant-id'
const EXPIRATION_ANNOTATION = 'azure.workload.identity/service-account-token-expiration'
const USE_LABEL = 'azure.workload.identity/use'

/** What Azure's webhook accepts. */
const TOKEN_SECONDS = { min: 3_600, max: 86_400 }

/** What the operator decided about Azure identities (`azure` of the configuration). */
export interface AzureIdentityOptions {
  /** The tenant of who is not annotated with another. */
  readonly tenantId: string
  readonly requireUseLabel: boolean
  readonly strictClientId: boolean
  readonly identities: readonly AzureNames[]
}

/** Finds which application a pod is. Costs no I/O; meant to be asked again whenever a fact may have changed. */
export interface AzureIdentityResolver {
  /**
   * @param pod the calling pod; its namespace must be the ServiceAccount's
   * @param serviceAccount the pod's ServiceAccount with its annotations as of now
   * @throws MetadatadError `IDENTITY_NONE`, `IDENTITY_INVALID` (an annotation that can't be meant), `IDENTITY_REFUSED`
   */
  resolve(
    pod: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
    serviceAccount: ServiceAccount,
  ): AzureIdentity
  /**
   * The application (client) ID that is meant. An application that is not the annotated one is only ever named by the
   * request: whether the pod may be it is decided by the operator's rules and by the application's federated credentials.
   *
   * @param identity what `resolve` gave
   * @throws MetadatadError `IDENTITY_NONE` for none, or a name that no application has; `IDENTITY_REFUSED`
   */
  clientId(identity: AzureIdentity, selector: AzureSelector | undefined): string
}

/**
 * Resolves the annotations that Azure's webhook knows (https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html),
 * then asks the operator's rules, to which the identity is the client ID.
 */
export function createAzureIdentityResolver(
  options: AzureIdentityOptions,
  rules: IdentityRules,
): AzureIdentityResolver {
  const { strictClientId } = options
  const applications = azureApplications(options.identities)

  function permit({ namespace, serviceAccount }: AzureIdentity['holder'], clientId: string): string {
    if (rules({ namespace, serviceAccount, identities: [clientId] })) return clientId
    throw refusedByRule('azure', `${namespace}/${serviceAccount}`, `Azure application ${clientId}`)
  }

  return {
    resolve(pod, serviceAccount) {
      const { namespace, name, annotations } = serviceAccount
      checkNamespace(pod, serviceAccount)
      if (options.requireUseLabel && pod.labels[USE_LABEL] !== 'true') {
        throw identityError(
          'IDENTITY_NONE',
          'pod has no use label',
          `This pod has no Azure identity, because this cluster wants its pods to ask for one. Label the pod with ${USE_LABEL}: "true".`,
        )
      }
      const holder = { namespace, serviceAccount: name }
      const annotated = annotations[CLIENT_ANNOTATION]
      if (annotated === undefined && strictClientId) throw none(holder)
      const tenantId = guid(annotations, TENANT_ANNOTATION, 'a tenant') ?? options.tenantId.toLowerCase()
      const tokenExpirationSeconds = expirationOf(annotations[EXPIRATION_ANNOTATION])
      const clientId = guid(annotations, CLIENT_ANNOTATION, 'an application (client)')
      if (clientId !== undefined) permit(holder, clientId)
      return { cloud: 'azure', holder, clientId, tenantId, tokenExpirationSeconds }
    },

    clientId(identity, selector) {
      const { holder } = identity
      const clientId = selector === undefined ? identity.clientId : applications(selector)
      if (clientId === undefined) throw selector === undefined ? none(holder) : unknown(selector)
      if (strictClientId && clientId !== identity.clientId) {
        throw identityError(
          'IDENTITY_REFUSED',
          'azure application is not the annotated one',
          `This cluster lets ServiceAccount ${holder.namespace}/${holder.serviceAccount} use only the Azure application of its annotation ${CLIENT_ANNOTATION}, not ${clientId}. Ask for no client ID, or correct the annotation.`,
        )
      }
      return permit(holder, clientId)
    },
  }
}

function guid(
  annotations: Readonly<Record<string, string>>,
  annotation: string,
  what: string,
): string | undefined {
  const value = annotations[annotation]
  if (value === undefined) return undefined
  const parsed = parseGuid(value)
  if (parsed === undefined) throw invalidAnnotation(annotation, value, `the ID of ${what}, a GUID`)
  return parsed
}

function expirationOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const seconds = parseSeconds(value) ?? 0
  const { min, max } = TOKEN_SECONDS
  if (seconds >= min && seconds <= max) return seconds
  throw invalidAnnotation(EXPIRATION_ANNOTATION, value, `a whole number of seconds from ${min} to ${max}`)
}

function none({ namespace, serviceAccount }: AzureIdentity['holder']) {
  return identityError(
    'IDENTITY_NONE',
    'service account has no azure identity',
    `ServiceAccount ${namespace}/${serviceAccount} has no Azure identity. Annotate it with ${CLIENT_ANNOTATION}: CLIENT_ID.`,
  )
}

function unknown({ kind, value }: AzureSelector) {
  const shown = printable(value)
  return identityError(
    'IDENTITY_NONE',
    'no azure application has the name that was asked for',
    kind === 'clientId'
      ? `The client ID "${shown}" is no GUID. Ask for the client ID of an application.`
      : `This cluster's metadata daemon knows no application by the name "${shown}". Ask by client ID, or have the administrator list it in "azure.identities".`,
    'caller',
  )
}
