import { type GoogleTrust, stsAudience, subjectTokenAudience } from '../identity/google-trust.ts'
import type { Secret } from '../lib/secret.ts'
import type { CloudRequest } from './cloud-request.ts'
import { endpointUrl } from './endpoint-url.ts'
import { type GoogleToken, stsToken } from './google-answers.ts'
import { stsError } from './google-errors.ts'
import { parseGoogleFailure } from './google-failure.ts'

/** Google's Security Token Service. */
export interface GoogleSts {
  /**
   * Exchanges a Kubernetes service-account token for a federated access token with these scopes.
   *
   * @throws MetadatadError `EXCHANGE_*`, `REQUEST_INVALID`
   */
  exchange(subjectToken: Secret, scopes: readonly string[], signal: AbortSignal): Promise<GoogleToken>
}

/**
 * A client of one STS for one trust (https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token). The call is
 * authorized by the subject token alone: an `Authorization` header would make it fail.
 */
export function createGoogleSts(request: CloudRequest, baseUrl: string, trust: GoogleTrust): GoogleSts {
  const audience = stsAudience(trust)
  const context = { audience, subjectAudience: subjectTokenAudience(trust) }
  const url = endpointUrl(baseUrl, '/v1/token')

  return {
    exchange: (subjectToken, scopes, signal) =>
      request({
        call: 'google_sts',
        service: 'Google STS',
        url,
        body: {
          form: {
            grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
            audience,
            scope: scopes.join(' '),
            requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
            subject_token: subjectToken,
            subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
          },
        },
        signal,
        classify(answer) {
          if (answer.status === 200) return stsToken(answer)
          throw stsError(parseGoogleFailure(answer), context)
        },
      }),
  }
}
