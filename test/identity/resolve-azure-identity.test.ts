import fc from 'fast-check'
import t from 'tap'
import type { AzureIdentity } from '../../src/identity/azure-identity.ts'
import type { AzureSelector } from '../../src/identity/azure-selector.ts'
import {
  type AzureIdentityOptions,
  createAzureIdentityResolver,
} from '../../src/identity/resolve-azure-identity.ts'
import { createIdentityRules, type IdentityRule } from '../../src/identity/rules.ts'
import { MetadatadError } from '../../src/lib/errors.ts'

const CLIENT = 'azure.workload.identity/client-id'
const TENANT = 'azure.workload.identity/tenant-id'
const EXPIRATION = 'azure.workload.identity/service-account-token-expiration'
const USE = 'azure.workload.identity/use'
const guid = (digit: string) =>
  `${digit.repeat(8)}-${digit.repeat(4)}-${digit.repeat(4)}-${digit.repeat(4)}-${digit.repeat(12)}`
const [APP, OTHER, TENANT_ID, OBJECT, PRINCIPAL] = ['a', 'b', 'c', 'd', 'e'].map(guid) as [
  string,
  string,
  string,
  string,
  string,
]
const RESOURCE_ID =
  '/subscriptions/S/resourceGroups/G/providers/Microsoft.ManagedIdentity/userAssignedIdentities/web'
const TABLE = [
  { clientId: OTHER.toUpperCase(), objectId: OBJECT, resourceId: RESOURCE_ID, principalId: PRINCIPAL },
  { clientId: guid('9'), objectId: OBJECT },
]

interface Setup extends Partial<AzureIdentityOptions> {
  readonly rules?: readonly IdentityRule[]
  readonly labels?: Record<string, string>
  readonly podNamespace?: string
}

function setUp({ rules = [], labels = {}, podNamespace = 'team-a', ...options }: Setup = {}) {
  const resolver = createAzureIdentityResolver(
    {
      tenantId: TENANT_ID.toUpperCase(),
      requireUseLabel: false,
      strictClientId: false,
      identities: TABLE,
      ...options,
    },
    createIdentityRules(rules),
  )
  const resolve = (annotations: Record<string, string>): AzureIdentity =>
    resolver.resolve(
      { namespace: podNamespace, labels },
      { namespace: 'team-a', name: 'web', uid: 'u', resourceVersion: '1', annotations },
    )
  const clientId = (annotations: Record<string, string>, selector?: AzureSelector) =>
    resolver.clientId(resolve(annotations), selector)
  return { resolve, clientId }
}

function failure(run: () => unknown): MetadatadError {
  try {
    run()
  } catch (error) {
    if (error instanceof MetadatadError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

t.test('an annotated ServiceAccount is its application, in the default tenant', async (t) => {
  t.strictSame(setUp().resolve({ [CLIENT]: APP.toUpperCase() }), {
    cloud: 'azure',
    holder: { namespace: 'team-a', serviceAccount: 'web' },
    clientId: APP,
    tenantId: TENANT_ID,
    tokenExpirationSeconds: undefined,
  })
  t.equal(setUp().clientId({ [CLIENT]: APP }), APP)
})

t.test('tenant and life of the token may be annotated', async (t) => {
  const identity = setUp().resolve({ [CLIENT]: APP, [TENANT]: OTHER.toUpperCase(), [EXPIRATION]: '3600' })
  t.match(identity, { tenantId: OTHER, tokenExpirationSeconds: 3600 })
})

t.test('a malformed annotation is refused with a sentence that names it, never taken for none', async (t) => {
  const cases: [Record<string, string>, string][] = [
    [
      { [CLIENT]: '' },
      'client-id of this pod\'s ServiceAccount is "". It must be the ID of an application (client), a GUID.',
    ],
    [
      { [CLIENT]: `${APP}\n` },
      `client-id of this pod's ServiceAccount is "${APP}?". It must be the ID of an application (client), a GUID.`,
    ],
    [
      { [TENANT]: 'contoso.com' },
      'tenant-id of this pod\'s ServiceAccount is "contoso.com". It must be the ID of a tenant, a GUID.',
    ],
    ...['3599', '86401', '1e4', '', '-1'].map((value): [Record<string, string>, string] => [
      { [CLIENT]: APP, [EXPIRATION]: value },
      `service-account-token-expiration of this pod's ServiceAccount is "${value}". It must be a whole number of seconds from 3600 to 86400.`,
    ]),
  ]
  for (const [annotations, sentence] of cases) {
    const error = failure(() => setUp().resolve(annotations))
    t.match(error, { code: 'IDENTITY_INVALID', fault: 'policy', retryable: false })
    t.equal(error.publicMessage, `The annotation azure.workload.identity/${sentence}`)
  }
})

t.test(
  'without an annotation, only who names an application has one, and nobody where it is strict',
  async (t) => {
    t.equal(setUp().resolve({}).clientId, undefined)
    t.equal(setUp().clientId({}, { kind: 'clientId', value: OTHER.toUpperCase() }), OTHER)
    const error = failure(() => setUp().clientId({}))
    t.match(error, { code: 'IDENTITY_NONE', fault: 'policy', retryable: false })
    t.equal(
      error.publicMessage,
      'ServiceAccount team-a/web has no Azure identity. Annotate it with azure.workload.identity/client-id: CLIENT_ID.',
    )
    t.equal(failure(() => setUp({ strictClientId: true }).resolve({})).code, 'IDENTITY_NONE')
  },
)

t.test('the label counts where it is wanted', async (t) => {
  const error = failure(() => setUp({ requireUseLabel: true }).resolve({ [CLIENT]: APP }))
  t.match(error, { code: 'IDENTITY_NONE', publicMessage: /azure\.workload\.identity\/use: "true"/ })
  for (const value of ['false', 'True', '']) {
    t.throws(() => setUp({ requireUseLabel: true, labels: { [USE]: value } }).resolve({ [CLIENT]: APP }))
  }
  t.equal(setUp({ requireUseLabel: true, labels: { [USE]: 'true' } }).clientId({ [CLIENT]: APP }), APP)
})

t.test("a request may call an application by the names of the operator's table", async (t) => {
  const named: AzureSelector[] = [
    { kind: 'objectId', value: OBJECT.toUpperCase() },
    { kind: 'resourceId', value: RESOURCE_ID.toLowerCase() },
    { kind: 'principalId', value: PRINCIPAL },
  ]
  for (const selector of named) t.equal(setUp().clientId({ [CLIENT]: APP }, selector), OTHER, selector.kind)
  const unknown: AzureSelector[] = [
    { kind: 'objectId', value: PRINCIPAL },
    { kind: 'principalId', value: OBJECT },
    { kind: 'resourceId', value: '' },
    { kind: 'objectId', value: OTHER },
    { kind: 'objectId', value: 'undefined' },
    { kind: 'clientId', value: 'x' },
    { kind: 'clientId', value: RESOURCE_ID },
  ]
  for (const selector of unknown) {
    t.match(
      failure(() => setUp().clientId({ [CLIENT]: APP }, selector)),
      { code: 'IDENTITY_NONE', fault: 'caller' },
    )
  }
})

t.test('where it is strict, no name leads to another application than the annotated one', async (t) => {
  const { clientId } = setUp({ strictClientId: true })
  t.equal(clientId({ [CLIENT]: APP }, { kind: 'clientId', value: APP.toUpperCase() }), APP)
  t.equal(clientId({ [CLIENT]: OTHER }, { kind: 'objectId', value: OBJECT }), OTHER)
  for (const selector of [
    { kind: 'clientId', value: OTHER },
    { kind: 'objectId', value: OBJECT },
  ] as const) {
    t.match(
      failure(() => clientId({ [CLIENT]: APP }, selector)),
      { code: 'IDENTITY_REFUSED', fault: 'policy' },
    )
  }
})

t.test("the operator's rules hold for every way to an application", async (t) => {
  const rules = [
    { identity: OTHER.toUpperCase(), allow: false },
    { namespace: 'team-a', allow: true },
  ]
  const { resolve, clientId } = setUp({ rules })
  t.equal(clientId({ [CLIENT]: APP }), APP)
  t.match(
    failure(() => resolve({ [CLIENT]: OTHER })),
    {
      code: 'IDENTITY_REFUSED',
      publicMessage: /do not let ServiceAccount team-a\/web use the Azure application b/,
    },
  )
  for (const selector of [
    { kind: 'clientId', value: OTHER },
    { kind: 'resourceId', value: RESOURCE_ID },
  ] as const) {
    for (const annotations of [{ [CLIENT]: APP }, {}]) {
      t.equal(failure(() => clientId(annotations, selector)).code, 'IDENTITY_REFUSED')
    }
  }
})

t.test('a ServiceAccount of another namespace is nobody', async (t) => {
  const { resolve } = setUp({ podNamespace: 'team-b' })
  t.match(
    failure(() => resolve({ [CLIENT]: APP })),
    { code: 'IDENTITY_REFUSED', fault: 'ours' },
  )
})

t.test('whatever is annotated and asked for gives a GUID or a coded refusal in printable words', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 1_100 }),
    fc.constantFrom(APP, OTHER, '3600', ''),
  )
  const kind = fc.constantFrom('clientId', 'objectId', 'resourceId', 'principalId')
  const annotations = fc.record({ [CLIENT]: text, [TENANT]: text, [EXPIRATION]: text }, { requiredKeys: [] })
  const selector = fc.option(fc.record({ kind, value: text }), { nil: undefined })
  const { clientId } = setUp()
  fc.assert(
    fc.property(annotations, selector, (given, asked) => {
      try {
        return /^[0-9a-f-]{36}$/.test(
          clientId(given as Record<string, string>, asked as AzureSelector | undefined),
        )
      } catch (error) {
        return error instanceof MetadatadError && /^[\x20-\x7e]+\.$/.test(error.publicMessage)
      }
    }),
  )
})
