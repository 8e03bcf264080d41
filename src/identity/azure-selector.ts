/** How a request names the identity it wants, beside the annotated one. */
export interface AzureSelector {
  readonly kind: 'clientId' | 'objectId' | 'resourceId' | 'principalId'
  /** As sent; at most 1,024 characters. */
  readonly value: string
}
