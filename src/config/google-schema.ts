import * as v from 'valibot'
import { metadataEndpoint, serviceEndpoint } from './endpoint-fields.ts'
import { checkedList, choice, list, text } from './fields.ts'
import { passthroughRefusal } from './passthrough-path.ts'

const HTTPS_URL = /^https:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?(?:\/[A-Za-z0-9._~/-]*)?$/
const DOMAIN = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/
const HOST = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/

const METADATA = metadataEndpoint()

const api = (name: string, example: string) =>
  serviceEndpoint(`Base URL of ${name}, for private endpoints. Default: the universe's public one.`, example)

/** The `google` section: the project, why Google trusts this cluster, and what pods are shown. */
export const googleSchema = v.strictObject({
  projectId: text('a project ID', /^(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/, {
    description: 'Project that pods are told they run in (`project/project-id`). Required.',
    examples: ['my-project'],
  }),
  projectNumber: v.optional(
    v.pipe(
      v.union([v.pipe(v.number(), v.safeInteger()), v.string()], 'must be the digits of a project number'),
      v.metadata({
        description:
          'Number of that project (`project/numeric-project-id`); without it that value is not found.',
        examples: ['123456789012'],
      }),
      v.transform(String),
      v.regex(/^[1-9]\d{0,18}$/, 'must be the digits of a project number'),
    ),
  ),
  workloadIdentityProvider: v.optional(
    text(
      'projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER',
      /^projects\/[1-9]\d*\/locations\/global\/workloadIdentityPools\/[a-z0-9-]{4,32}\/providers\/[a-z0-9-]{4,32}$/,
      {
        description:
          'Trust, first kind: the workload identity pool provider that knows this cluster as an OIDC issuer. Either this or `identityNamespace`.',
        examples: [
          'projects/123456789012/locations/global/workloadIdentityPools/my-pool/providers/my-cluster',
        ],
      },
    ),
  ),
  identityNamespace: v.optional(
    text('PROJECT.svc.id.goog', /^[a-z0-9][a-z0-9.:-]*\.svc\.id\.[a-z0-9.-]*[a-z0-9]$/, {
      description:
        'Trust, second kind: the identity namespace of GKE or of a fleet. Needs `identityProvider`.',
      examples: ['my-project.svc.id.goog'],
    }),
  ),
  identityProvider: v.optional(
    text('an https URL', HTTPS_URL, {
      description: 'The URI by which `identityNamespace` knows this cluster.',
      examples: ['https://gkehub.googleapis.com/projects/my-project/locations/global/memberships/my-cluster'],
    }),
  ),
  subject: v.optional(
    text('a text with both {namespace} and {serviceAccount}, and no other placeholder', SUBJECT(), {
      description:
        "What the provider's attribute mapping makes `google.subject`; names the IAM members in messages and principal identifiers.",
      examples: ['system:serviceaccount:{namespace}:{serviceAccount}'],
    }),
    'system:serviceaccount:{namespace}:{serviceAccount}',
  ),
  audience: v.optional(
    text('a text without spaces', /^[\x21-\x7e]+$/, {
      description:
        'Audience of the Kubernetes tokens that are exchanged, if the provider does not allow the default: its own full name, or the identity namespace.',
      examples: ['https://sts.example.com'],
    }),
  ),
  universeDomain: v.optional(
    text(
      'a domain',
      DOMAIN,
      {
        description: 'Google Cloud universe: the domain of its API endpoints (`universe/universe-domain`).',
        examples: ['googleapis.com'],
      },
      // A name whose last part is a number is taken for an IPv4 address.
      (domain) => URL.canParse(`https://sts.${domain}`),
    ),
    'googleapis.com',
  ),
  unannotated: v.optional(
    choice(['federate', 'refuse'], {
      description:
        'What a ServiceAccount without `iam.gke.io/gcp-service-account` gets: the federated token itself, or nothing.',
      examples: ['refuse'],
    }),
    'federate',
  ),
  scopes: v.optional(
    v.pipe(
      list('a scope: a text without spaces and commas', /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{1,256}$/, {
        description: 'Scopes of a token that is asked for without any, and the list that pods are shown.',
        examples: ['https://www.googleapis.com/auth/cloud-platform'],
      }),
      v.minLength(1, 'must have at least one scope'),
    ),
    ['https://www.googleapis.com/auth/cloud-platform', 'https://www.googleapis.com/auth/userinfo.email'],
  ),
  endpoints: v.optional(
    v.strictObject({
      sts: api('the Security Token Service', 'https://sts-myendpoint.p.googleapis.com'),
      iamCredentials: api(
        'IAM Service Account Credentials',
        'https://iamcredentials-myendpoint.p.googleapis.com',
      ),
      metadata: METADATA,
    }),
    { metadata: METADATA.default },
  ),
  passthrough: v.optional(
    checkedList(passthroughRefusal, {
      description:
        "Exact canonical paths that may be asked of the node's real metadata server; everything else that is not emulated is not found. Credentials and what they are made with never pass.",
      examples: ['/computeMetadata/v1/instance/machine-type'],
    }),
    [],
  ),
  hosts: v.optional(
    list('a host name in lower case, without port', HOST, {
      description: "`Host` names that are answered besides the metadata server's own and IP addresses.",
      examples: ['metadata.example.internal'],
    }),
    [],
  ),
})

/** Both placeholders, once each or more, and no other brace. */
function SUBJECT(): RegExp {
  const part = String.raw`(?:[^{}\s]|\{namespace\}|\{serviceAccount\})*`
  return new RegExp(String.raw`^(?=.*\{namespace\})(?=.*\{serviceAccount\})${part}$`)
}
