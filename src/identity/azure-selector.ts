/** How a request names the identity it wants. */
export interface AzureSelector {
  readonly kind: 'clientId' | 'objectId' | 'resourceId' | 'principalId'
  readonly value: string
}
