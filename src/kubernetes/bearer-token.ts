import { Secret } from '../lib/secret.ts'
import { configError } from './config-error.ts'

/**
 * A bearer token as RFC 6750 section 2.1 spells one, so that it can not break out of its header.
 *
 * @param source where it comes from, for the error
 * @throws MetadatadError `CONFIG_INVALID`
 */
export function bearerToken(value: string, source: string): Secret {
  if (!/^[A-Za-z0-9\-._~+/:]+=*$/.test(value)) throw configError(`${source} holds no bearer token`)
  return new Secret(value)
}
