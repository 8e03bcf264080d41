import { MetadatadError } from '../lib/errors.ts'

/** A space would separate two scopes. */
const RESOURCE = /^[\x21-\x7e]{1,1024}$/
const DEFAULT = '/.default'

/**
 * The scope of Entra's v2 endpoint that stands for a resource of IMDS: all that the application has there
 * (https://learn.microsoft.com/entra/identity-platform/scopes-oidc#the-default-scope). A resource with a slash at its end keeps it
 * (`https://vault.azure.net//.default`), because the audience of the token is all that comes before the last slash.
 *
 * @param resource an application's ID URI or GUID, as asked for; with `/.default` it is the scope already
 * @throws MetadatadError `REQUEST_INVALID`
 */
export function azureScope(resource: string): string {
  if (!RESOURCE.test(resource) || resource === DEFAULT) {
    throw new MetadatadError('REQUEST_INVALID', 'resource is malformed', {
      fault: 'caller',
      retryable: false,
      publicMessage:
        'The resource asked for is malformed. Ask for one such as https://management.azure.com/.',
    })
  }
  return resource.endsWith(DEFAULT) ? resource : resource + DEFAULT
}
