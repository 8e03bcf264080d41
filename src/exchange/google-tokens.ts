import type { Dispatcher } from 'undici'
import type { GoogleIdentity } from '../identity/google-identity.ts'
import { type GoogleTrust, stsAudience, subjectTokenAudience } from '../identity/google-trust.ts'
import type { Clock } from '../lib/clock.ts'
import { MetadatadError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import { createCloudRequest } from './cloud-request.ts'
import type { CredentialSpec, ObtainContext } from './credential-spec.ts'
import type { GoogleToken } from './google-answers.ts'
import { createGoogleIam } from './google-iam.ts'
import { CLOUD_PLATFORM, canonicalScopes, DEFAULT_SCOPES } from './google-scopes.ts'
import { createGoogleSts } from './google-sts.ts'
import { withRenewal } from './with-renewal.ts'

/** Everything the exchange needs to know and to use. */
export interface GoogleTokensOptions {
  readonly trust: GoogleTrust
  /** `googleapis.com` unless the organisation is in another universe. */
  readonly universeDomain: string
  /** Base URLs that replace `https://sts.UNIVERSE` and `https://iamcredentials.UNIVERSE`. */
  readonly endpoints: { readonly sts?: string | undefined; readonly iamCredentials?: string | undefined }
  /** What a pod gets that names no scopes; cloud-platform and userinfo.email unless said otherwise. */
  readonly defaultScopes?: readonly string[] | undefined
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly random?: (() => number) | undefined
}

/** An OAuth access token with exactly these scopes. */
export interface AccessToken extends GoogleToken {
  /** Canonical: sorted, each once. */
  readonly scopes: readonly string[]
}

/** An OpenID Connect ID token of a Google service account. */
export type IdToken = GoogleToken

/** What can be obtained for a Google identity, as credentials to be cached. Nothing is asked of Google until `obtain`. */
export interface GoogleTokens {
  readonly defaultScopes: readonly string[]
  /**
   * @param scopes in any order, repeated or not; none means the default scopes
   * @throws MetadatadError `REQUEST_INVALID`
   */
  accessToken(identity: GoogleIdentity, scopes: readonly string[]): CredentialSpec<AccessToken>
  /**
   * @param audience any text of 1 to 2,048 characters
   * @throws MetadatadError `REQUEST_INVALID`; `IDENTITY_NONE` for the federated identity, which has no ID tokens
   */
  idToken(identity: GoogleIdentity, audience: string): CredentialSpec<IdToken>
}

const MAX_AUDIENCE_LENGTH = 2_048
/** Google's Node library asks again in a token's last 5 minutes: with less life than that, every call of a pod comes here. */
const MINIMUM_REMAINING_MS = 360_000

/**
 * Google's tokens for pods. A service account is impersonated with a federated token that is a credential of its own, so
 * that one serves all access and ID tokens; the federated identity gets federated tokens with its own scopes.
 */
export function createGoogleTokens(options: GoogleTokensOptions): GoogleTokens {
  const { trust, universeDomain, endpoints, log } = options
  const defaultScopes = canonicalScopes(options.defaultScopes ?? DEFAULT_SCOPES, DEFAULT_SCOPES)
  const request = createCloudRequest(options)
  const sts = createGoogleSts(request, endpoints.sts ?? `https://sts.${universeDomain}`, trust)
  const iam = createGoogleIam(request, endpoints.iamCredentials ?? `https://iamcredentials.${universeDomain}`)
  const audience = subjectTokenAudience(trust)

  function federate(context: ObtainContext, scopes: readonly string[]): Promise<GoogleToken> {
    return withRenewal(
      (renew) => context.subjectToken(audience, { renew }),
      (subjectToken) => sts.exchange(subjectToken, scopes, context.signal),
      () =>
        log.info(
          { namespace: context.holder.namespace, pod: context.holder.name },
          'service account token refused, taking a new one',
        ),
    )
  }

  function federatedToken(identity: GoogleIdentity): CredentialSpec<GoogleToken> {
    return spec('google-federated-token', identity, identity.member, [stsAudience(trust)], (context) =>
      federate(context, [CLOUD_PLATFORM]),
    )
  }

  function impersonate<T>(
    identity: GoogleIdentity,
    context: ObtainContext,
    use: (federated: GoogleToken) => Promise<T>,
  ): Promise<T> {
    const prerequisite = federatedToken(identity)
    return withRenewal(
      (renew) => context.credential(prerequisite, renew),
      use,
      () =>
        log.info(
          { namespace: context.holder.namespace, pod: context.holder.name },
          'federated token refused, taking a new one',
        ),
    )
  }

  return {
    defaultScopes,

    accessToken(identity, wanted) {
      const scopes = canonicalScopes(wanted, defaultScopes)
      const email = identity.serviceAccountEmail
      return spec('google-access-token', identity, email ?? identity.member, scopes, async (context) => {
        const token =
          email === undefined
            ? await federate(context, scopes)
            : await impersonate(identity, context, ({ token: bearer }) =>
                iam.generateAccessToken({ identity, email, bearer, signal: context.signal }, scopes),
              )
        return { ...token, scopes }
      })
    },

    idToken(identity, wanted) {
      const email = identity.serviceAccountEmail
      if (email === undefined) {
        throw new MetadatadError('IDENTITY_NONE', 'federated identity has no identity tokens', {
          fault: 'policy',
          retryable: false,
          publicMessage:
            'Only a Google service account has identity tokens, and this pod has none. Annotate its ServiceAccount with iam.gke.io/gcp-service-account: NAME@PROJECT.iam.gserviceaccount.com.',
        })
      }
      if (wanted === '' || wanted.length > MAX_AUDIENCE_LENGTH || !wanted.isWellFormed()) {
        throw new MetadatadError('REQUEST_INVALID', 'audience is malformed', {
          fault: 'caller',
          retryable: false,
          publicMessage: `An identity token needs an audience of 1 to ${MAX_AUDIENCE_LENGTH} characters.`,
        })
      }
      return spec('google-id-token', identity, email, [wanted], (context) =>
        impersonate(identity, context, ({ token: bearer }) =>
          iam.generateIdToken({ identity, email, bearer, signal: context.signal }, wanted),
        ),
      )
    },
  }
}

function spec<C extends GoogleToken>(
  kind: string,
  identity: GoogleIdentity,
  name: string,
  qualifiers: readonly string[],
  obtain: (context: ObtainContext) => Promise<C>,
): CredentialSpec<C> {
  return {
    // As JSON, because a scope or an audience may contain whatever else would separate them. The member belongs to the key:
    // the same service account obtained as another member is another principal's.
    key: JSON.stringify([kind, name, identity.member, identity.quotaProject ?? '', ...qualifiers]),
    kind,
    identity: name,
    shareBy: 'serviceAccount',
    minimumRemainingMs: MINIMUM_REMAINING_MS,
    obtain,
  }
}
