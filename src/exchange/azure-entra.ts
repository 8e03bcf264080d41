import type { Dispatcher } from 'undici'
import type { AzureIdentity } from '../identity/azure-identity.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Secret } from '../lib/secret.ts'
import { azureToken } from './azure-answers.ts'
import { AZURE_CLOUDS } from './azure-cloud.ts'
import { entraError } from './azure-errors.ts'
import { parseAzureFailure } from './azure-failure.ts'
import { azureScope } from './azure-scope.ts'
import { createAzureSettling } from './azure-settling.ts'
import type { AzureToken } from './azure-token.ts'
import { createCloudRequest } from './cloud-request.ts'
import type { CredentialSpec, ObtainContext } from './credential-spec.ts'
import { endpointUrl } from './endpoint-url.ts'
import { issuerOf } from './issuer-of.ts'
import { serviceAccountSubject } from './service-account-subject.ts'
import { withRenewal } from './with-renewal.ts'

/** Everything the exchange needs to know and to use. */
export interface EntraOptions {
  readonly cloud: keyof typeof AZURE_CLOUDS
  /** Audience of the subject token; the cloud's own unless said otherwise. */
  readonly audience?: string | undefined
  /** Base URL that replaces the cloud's own. */
  readonly authority?: string | undefined
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Uniform in [0, 1), for the jitter. */
  readonly random?: (() => number) | undefined
}

/** Microsoft Entra, as pods need it. Nothing is asked of Entra until `obtain`. */
export interface Entra {
  /**
   * An access token of an application for a resource.
   *
   * @param clientId of the identity, or one that a request named instead: that Entra has a federated credential for the pod's
   * ServiceAccount on it is what entitles the pod
   * @param resource as asked for; with or without `/.default`
   * @throws MetadatadError `REQUEST_INVALID`
   */
  accessToken(identity: AzureIdentity, clientId: string, resource: string): CredentialSpec<AzureToken>
}

/** Azure's libraries ask again in a token's last 5 minutes: with less life than that, every call of a pod comes here. */
const MINIMUM_REMAINING_MS = 360_000

/**
 * A client of Entra's v2 token endpoint with the grant `client_credentials` and the subject token as client assertion
 * (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow#third-case-access-token-request-with-a-federated-credential):
 * one round trip, without discovery.
 */
export function createEntra(options: EntraOptions): Entra {
  const { log, clock } = options
  const cloud = AZURE_CLOUDS[options.cloud]
  const audience = options.audience ?? cloud.audience
  const request = createCloudRequest(options)
  const settling = createAzureSettling(clock)

  function ask(
    { holder, signal }: ObtainContext,
    asked: { readonly tenantId: string; readonly clientId: string; readonly scope: string },
    assertion: Secret,
  ): Promise<AzureToken> {
    const { tenantId, clientId, scope } = asked
    const binding = JSON.stringify([tenantId, clientId, holder.serviceAccountUid])
    return request({
      call: 'azure_entra',
      service: 'Microsoft Entra',
      url: endpointUrl(options.authority ?? cloud.authority, `/${tenantId}/oauth2/v2.0/token`),
      body: {
        form: {
          grant_type: 'client_credentials',
          client_id: clientId,
          scope,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: assertion,
        },
      },
      signal,
      classify(answer) {
        if (answer.status === 200) {
          settling.found(binding)
          return azureToken(answer)
        }
        const context = {
          ...asked,
          audience,
          subject: serviceAccountSubject(holder),
          issuer: issuerOf(assertion),
        }
        throw entraError(parseAzureFailure(answer), context, () => settling.missing(binding))
      },
    })
  }

  return {
    accessToken({ tenantId, tokenExpirationSeconds: expirationSeconds }, clientId, resource) {
      const scope = azureScope(resource)
      return {
        key: JSON.stringify(['azure-access-token', tenantId, clientId, scope, expirationSeconds ?? null]),
        kind: 'azure-access-token',
        identity: clientId,
        shareBy: 'serviceAccount',
        minimumRemainingMs: MINIMUM_REMAINING_MS,
        obtain: (context) =>
          withRenewal(
            (renew) => context.subjectToken(audience, { renew, expirationSeconds }),
            (assertion) => ask(context, { tenantId, clientId, scope }, assertion),
            () =>
              log.info(
                { namespace: context.holder.namespace, pod: context.holder.name },
                'service account token refused, taking a new one',
              ),
          ),
      }
    },
  }
}
