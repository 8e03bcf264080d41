/** The discovery document of a tenant's v2 endpoint, as far as this one goes (OpenID Connect Discovery 1.0). */
export function openidConfiguration(authorityUrl: string, tenant: string): object {
  const authority = `${authorityUrl}/${tenant}`
  return {
    issuer: `${authority}/v2.0`,
    token_endpoint: `${authority}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    authorization_endpoint: `${authority}/oauth2/v2.0/authorize`,
    jwks_uri: `${authority}/discovery/v2.0/keys`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
  }
}
