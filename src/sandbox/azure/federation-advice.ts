/** How Entra ends its refusals of an assertion that no federated credential matches. */
export const FEDERATION_ADVICE =
  'Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation'
