/** Where Entra is, and what it wants federated tokens to be for. */
export interface AzureCloud {
  /** Base URL of the token endpoints. */
  readonly authority: string
  /** Audience of the subject token. */
  readonly audience: string
}

/**
 * The clouds of Microsoft (https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud,
 * https://learn.microsoft.com/graph/api/resources/federatedidentitycredentials-overview).
 */
export const AZURE_CLOUDS: Readonly<Record<'public' | 'usgov' | 'china', AzureCloud>> = {
  public: { authority: 'https://login.microsoftonline.com', audience: 'api://AzureADTokenExchange' },
  usgov: { authority: 'https://login.microsoftonline.us', audience: 'api://AzureADTokenExchangeUSGov' },
  china: {
    authority: 'https://login.partner.microsoftonline.cn',
    audience: 'api://AzureADTokenExchangeChina',
  },
}
