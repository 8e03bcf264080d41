import type { AzureSelector } from './azure-selector.ts'
import { parseGuid } from './parse-guid.ts'

/** One application, and other names of it (`azure.identities` of the configuration). */
export interface AzureNames {
  /** A GUID. */
  readonly clientId: string
  readonly objectId?: string | undefined
  /** `/subscriptions/…/Microsoft.ManagedIdentity/userAssignedIdentities/NAME` */
  readonly resourceId?: string | undefined
  readonly principalId?: string | undefined
}

/**
 * Looks an application up by what a request calls it.
 *
 * @returns its client ID in lower case; undefined for a name that nothing has
 */
export type AzureApplications = (selector: AzureSelector) => string | undefined

/**
 * A request's client ID is the application's name itself; every other name is known from the operator's table alone. Neither
 * GUIDs nor resource IDs tell upper case from lower case. Of two entries with one name the first counts.
 */
export function azureApplications(table: readonly AzureNames[]): AzureApplications {
  const clientIds = new Map<string, string>()
  for (const { clientId, ...names } of table) {
    for (const [kind, name] of Object.entries(names)) {
      const key = `${kind} ${name?.toLowerCase()}`
      if (name !== undefined && !clientIds.has(key)) clientIds.set(key, clientId.toLowerCase())
    }
  }
  return ({ kind, value }) =>
    kind === 'clientId' ? parseGuid(value) : clientIds.get(`${kind} ${value.toLowerCase()}`)
}
