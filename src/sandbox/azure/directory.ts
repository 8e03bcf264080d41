import { httpsIssuer } from '../https-issuer.ts'
import { EntraError } from './entra-error.ts'
import { isGuid } from './is-guid.ts'
import type { EntraApplication } from './sandbox-azure.ts'

const DOMAIN = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,62}$/i
const MAX_FEDERATED_CREDENTIALS = 20

/** Resources that exist in every tenant, of any Azure cloud, as far as workloads ask for them. */
const RESOURCES = [
  'https://management.azure.com',
  'https://management.core.windows.net',
  'https://management.usgovcloudapi.net',
  'https://management.core.usgovcloudapi.net',
  'https://management.chinacloudapi.cn',
  'https://management.core.chinacloudapi.cn',
  '797f4846-ba00-4fd7-ba43-dac1f8f63013',
  'https://graph.microsoft.com',
  '00000003-0000-0000-c000-000000000000',
  'https://vault.azure.net',
  'https://vault.usgovcloudapi.net',
  'https://vault.azure.cn',
  'cfa8b339-82a2-471a-a3c9-0fc0be7a4093',
  'https://storage.azure.com',
  'https://database.windows.net',
  'https://ossrdbms-aad.database.windows.net',
  'https://servicebus.azure.net',
  'https://eventhubs.azure.net',
  'https://cosmos.azure.com',
  'https://monitor.azure.com',
  'https://cognitiveservices.azure.com',
  'https://containerregistry.azure.net',
]

/** The applications of all tenants, and the resources that tokens may be for. */
export class Directory {
  readonly #applications = new Map<string, { readonly application: EntraApplication; propagating: number }>()
  readonly #tenants = new Set<string>()
  readonly #resources = new Set(RESOURCES)

  /** @throws TypeError an id that is no GUID, an issuer without TLS, or more credentials than Entra takes */
  addApplication(application: EntraApplication): void {
    const { tenantId, clientId, federatedCredentials, propagatingCalls = 0 } = application
    for (const id of [tenantId, clientId]) if (!isGuid(id)) throw new TypeError(`not a GUID: ${id}`)
    if (federatedCredentials.length > MAX_FEDERATED_CREDENTIALS)
      throw new TypeError(`more than ${MAX_FEDERATED_CREDENTIALS} federated credentials`)
    for (const { issuer } of federatedCredentials) httpsIssuer(issuer)
    this.#tenants.add(tenantId.toLowerCase())
    this.#applications.set(keyOf(tenantId, clientId), {
      application: { ...application, federatedCredentials: [...federatedCredentials] },
      propagating: propagatingCalls,
    })
  }

  removeApplication(tenantId: string, clientId: string): void {
    this.#applications.delete(keyOf(tenantId, clientId))
  }

  addResource(resource: string): void {
    this.#resources.add(canonical(resource))
  }

  /** @throws EntraError no such tenant */
  requireTenant(tenant: string): void {
    if (!isGuid(tenant) && !DOMAIN.test(tenant)) {
      throw new EntraError(
        900023,
        `Specified tenant identifier '${tenant.slice(0, 100)}' is neither a valid DNS name, nor a valid external domain.`,
      )
    }
    if (this.#tenants.has(tenant.toLowerCase())) return
    throw new EntraError(
      90002,
      `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
    )
  }

  /**
   * The application as the token endpoint sees it at this call: without its credentials while they propagate.
   * @throws EntraError no such application
   */
  application(tenantId: string, clientId: string): { application: EntraApplication; propagating: boolean } {
    const found = this.#applications.get(keyOf(tenantId, clientId))
    if (!found) {
      throw new EntraError(
        700016,
        `Application with identifier '${clientId.slice(0, 100)}' was not found in the directory '${tenantId}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
      )
    }
    const propagating = found.propagating > 0
    if (propagating) found.propagating -= 1
    return { application: found.application, propagating }
  }

  /** @throws EntraError no such resource in the tenant */
  requireResource(resource: string, tenantId: string): void {
    if (this.#resources.has(canonical(resource))) return
    throw new EntraError(
      500011,
      `The resource principal named ${resource.slice(0, 200)} was not found in the tenant named ${tenantId}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.`,
    )
  }
}

/** Application ID URIs are found with or without their trailing slash. */
function canonical(resource: string): string {
  return resource.replace(/\/$/, '').toLowerCase()
}

function keyOf(tenantId: string, clientId: string): string {
  return `${tenantId} ${clientId}`.toLowerCase()
}
