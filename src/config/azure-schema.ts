import * as v from 'valibot'
import { azurePassthroughRefusal } from './azure-passthrough-path.ts'
import { metadataEndpoint, serviceEndpoint } from './endpoint-fields.ts'
import { checkedList, choice, text, toggle } from './fields.ts'

const GUID = /^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/
const RESOURCE_ID = /^\/subscriptions\/[A-Za-z0-9._()/-]{1,1000}$/
const MAX_IDENTITIES = 1_000

const METADATA = metadataEndpoint()

const guid = v.pipe(v.string('must be a GUID'), v.regex(GUID, 'must be a GUID'))

/** The `azure` section: where Entra is asked, for whom, and what pods are shown. */
export const azureSchema = v.strictObject({
  tenantId: text('the ID of a tenant, a GUID', GUID, {
    description: 'Tenant of pods whose ServiceAccount is not annotated with another one. Required.',
    examples: ['72f988bf-86f1-41af-91ab-2d7cd011db47'],
  }),
  cloud: v.optional(
    choice(['public', 'usgov', 'china'], {
      description: "Microsoft's cloud that the tenant is in.",
      examples: ['usgov'],
    }),
    'public',
  ),
  audience: v.optional(
    text('a text without spaces', /^[\x21-\x7e]{1,255}$/, {
      description:
        "Audience of the Kubernetes tokens that are exchanged, as the federated credentials have it. Default: the cloud's own, `api://AzureADTokenExchange` in the public one.",
      examples: ['api://AzureADTokenExchange'],
    }),
  ),
  requireUseLabel: v.optional(
    toggle({
      description: 'Answer only pods with the label `azure.workload.identity/use: "true"`.',
      examples: ['true'],
    }),
    false,
  ),
  strictClientId: v.optional(
    toggle({
      description:
        'Refuse a request for another client ID than the annotated one, instead of letting the federated credentials of the other application decide.',
      examples: ['true'],
    }),
    false,
  ),
  identities: v.optional(
    v.pipe(
      v.array(
        v.strictObject({
          clientId: v.pipe(guid, v.description('The application (client) ID.')),
          objectId: v.optional(v.pipe(guid, v.description('What requests call it as `object_id`.'))),
          resourceId: v.optional(
            v.pipe(
              v.string('must be the ID of a resource'),
              v.regex(RESOURCE_ID, 'must be the ID of a resource, /subscriptions/...'),
              v.description('What requests call it as `mi_res_id` or `msi_res_id`.'),
            ),
          ),
          principalId: v.optional(v.pipe(guid, v.description('What requests call it as `principal_id`.'))),
        }),
        'must be a list of identities',
      ),
      v.maxLength(MAX_IDENTITIES, `must not have more than ${MAX_IDENTITIES} entries`),
      v.metadata({
        description:
          'Other names of applications, by which requests may ask for them. A name that is not listed is not found.',
        examples: [
          '[{clientId: 00000000-0000-0000-0000-000000000001, objectId: 00000000-0000-0000-0000-000000000002}]',
        ],
      }),
    ),
    [],
  ),
  endpoints: v.optional(
    v.strictObject({
      authority: serviceEndpoint(
        "Base URL of Microsoft Entra's token endpoints. Default: the cloud's own.",
        'https://login.microsoftonline.com',
      ),
      metadata: METADATA,
    }),
    { metadata: METADATA.default },
  ),
  passthrough: v.optional(
    checkedList(azurePassthroughRefusal, {
      description:
        "Exact canonical paths that may be asked of the node's real metadata server; everything else that is not emulated is not found. Tokens, attested documents and user data never pass.",
      examples: ['/metadata/instance/compute/platformFaultDomain'],
    }),
    [],
  ),
})
