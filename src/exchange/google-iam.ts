import type { GoogleIdentity } from '../identity/google-identity.ts'
import type { Secret } from '../lib/secret.ts'
import type { CloudAnswer, CloudRequest } from './cloud-request.ts'
import { endpointUrl } from './endpoint-url.ts'
import { type GoogleToken, IAM_LIFE_SECONDS, iamAccessToken, iamIdToken } from './google-answers.ts'
import { iamError } from './google-errors.ts'
import { parseGoogleFailure } from './google-failure.ts'

/** Who is impersonated, and with what. */
export interface Impersonation {
  readonly identity: GoogleIdentity
  /** The identity's service account. */
  readonly email: string
  /** The federated token of the identity's member. */
  readonly bearer: Secret
  readonly signal: AbortSignal
}

/** Google's IAM Service Account Credentials API. Both calls throw MetadatadError `EXCHANGE_*` or `REQUEST_INVALID`. */
export interface GoogleIam {
  generateAccessToken(as: Impersonation, scopes: readonly string[]): Promise<GoogleToken>
  generateIdToken(as: Impersonation, audience: string): Promise<GoogleToken>
}

/** A client of one IAM Credentials endpoint (https://cloud.google.com/iam/docs/reference/credentials/rest). */
export function createGoogleIam(request: CloudRequest, baseUrl: string): GoogleIam {
  function post(
    method: 'generateAccessToken' | 'generateIdToken',
    { identity, email, bearer, signal }: Impersonation,
    body: object,
    read: (answer: CloudAnswer) => GoogleToken,
  ): Promise<GoogleToken> {
    return request({
      call: method === 'generateIdToken' ? 'google_generate_id_token' : 'google_generate_access_token',
      service: 'Google IAM',
      // The project is always `-`: the API takes it from the e-mail and refuses any other.
      url: endpointUrl(baseUrl, `/v1/projects/-/serviceAccounts/${encodeURIComponent(email)}:${method}`),
      headers: identity.quotaProject === undefined ? {} : { 'x-goog-user-project': identity.quotaProject },
      bearer,
      body: { json: body },
      signal,
      classify(answer) {
        if (answer.status === 200) return read(answer)
        throw iamError(parseGoogleFailure(answer), { identity, method })
      },
    })
  }

  return {
    generateAccessToken: (as, scope) =>
      post(
        'generateAccessToken',
        as,
        { delegates: [], scope, lifetime: `${IAM_LIFE_SECONDS}s` },
        iamAccessToken,
      ),
    generateIdToken: (as, audience) =>
      post('generateIdToken', as, { audience, delegates: [], includeEmail: true }, (answer) =>
        iamIdToken(answer, audience),
      ),
  }
}
