import type { AzureSelector } from '../../identity/azure-selector.ts'
import type { ErrorCode } from '../../lib/errors.ts'
import { MetadatadError } from '../../lib/errors.ts'
import { isTokenApiVersion } from './api-versions.ts'
import { imdsQuery } from './imds-query.ts'

/** What a token is asked for with. */
export interface TokenQuery {
  /** As sent, not empty. */
  readonly resource: string
  readonly selector: AzureSelector | undefined
  /** What the answer repeats of the selector, under the name that its documentation has. */
  readonly echo: Readonly<Record<string, string>>
}

/** Every spelling that documents, the Swagger and SDKs use. */
const SELECTORS: Readonly<Record<string, readonly [AzureSelector['kind'], echo: string]>> = {
  client_id: ['clientId', 'client_id'],
  object_id: ['objectId', 'object_id'],
  principal_id: ['principalId', 'principal_id'],
  mi_res_id: ['resourceId', 'msi_res_id'],
  msi_res_id: ['resourceId', 'msi_res_id'],
  'mi-res-id': ['resourceId', 'msi_res_id'],
  'msi-res-id': ['resourceId', 'msi_res_id'],
}
const MAX_SELECTOR = 1024

/**
 * Reads the query of a token request. Parameters that mean nothing here are ignored.
 *
 * @param query as sent, without `?`
 * @throws MetadatadError `REQUEST_INVALID`; `IDENTITY_NONE` for a selector that can name no identity
 */
export function tokenQuery(query: string): TokenQuery {
  const parameters = imdsQuery(query)
  if (parameters === undefined) throw refusal('REQUEST_INVALID', 'A query parameter is repeated.')
  if (!isTokenApiVersion(parameters.get('api-version'))) {
    throw refusal('REQUEST_INVALID', 'api-version is missing or unknown. Send api-version=2018-02-01.')
  }
  const resource = parameters.get('resource')
  if (!resource) throw refusal('REQUEST_INVALID', 'The query parameter resource is missing.')
  const named = Object.keys(SELECTORS).filter((name) => parameters.has(name))
  if (named.length > 1) {
    throw refusal('REQUEST_INVALID', `${named[0]} and ${named[1]} exclude each other. Send one of them.`)
  }
  const [name] = named
  if (name === undefined) return { resource, selector: undefined, echo: {} }
  const value = parameters.get(name)!
  if (value === '' || value.length > MAX_SELECTOR) {
    throw refusal('IDENTITY_NONE', `The query parameter ${name} is empty or too long.`)
  }
  const [kind, echo] = SELECTORS[name]!
  return { resource, selector: { kind, value }, echo: { [echo]: value } }
}

function refusal(code: ErrorCode, publicMessage: string): MetadatadError {
  return new MetadatadError(code, 'token request is malformed', {
    retryable: false,
    fault: 'caller',
    publicMessage,
  })
}
