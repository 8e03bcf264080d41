import t from 'tap'
import * as v from 'valibot'
import { azureSchema } from '../../src/config/azure-schema.ts'
import { distillAzure } from '../../src/config/distill-azure.ts'

const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47'
const CLIENT = '00000000-0000-0000-0000-00000000000A'
const load = (raw: Record<string, unknown>) =>
  distillAzure(v.parse(azureSchema, { tenantId: TENANT, ...raw }))
const refused = (raw: Record<string, unknown>) => !v.is(azureSchema, { tenantId: TENANT, ...raw })

t.test('a tenant is all that it takes', async (t) => {
  t.strictSame(load({}), {
    tenantId: TENANT,
    cloud: 'public',
    audience: undefined,
    requireUseLabel: false,
    strictClientId: false,
    identities: [],
    passthrough: [],
    endpoints: { authority: undefined, metadata: 'http://169.254.169.254' },
  })
  t.notOk(v.is(azureSchema, {}))
})

t.test('every key can be set', async (t) => {
  const names = {
    clientId: CLIENT,
    objectId: TENANT,
    principalId: TENANT,
    resourceId:
      '/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i',
  }
  const raw = {
    cloud: 'usgov',
    audience: 'own',
    requireUseLabel: true,
    strictClientId: true,
    passthrough: ['/metadata/instance/compute/platformFaultDomain'],
  }
  const endpoints = { authority: 'https://login.internal', metadata: 'http://127.0.0.1:80' }
  t.strictSame(load({ ...raw, endpoints, identities: [names, { clientId: CLIENT }] }), {
    tenantId: TENANT,
    ...raw,
    endpoints,
    identities: [
      names,
      { clientId: CLIENT, objectId: undefined, resourceId: undefined, principalId: undefined },
    ],
  })
})

for (const raw of [
  { tenantId: 'contoso.com' },
  { tenantId: `${TENANT}/` },
  { cloud: 'germany' },
  { audience: 'a b' },
  { identities: [{ objectId: TENANT }] },
  { identities: [{ clientId: 'x' }] },
  { identities: [{ clientId: CLIENT, resourceId: 'web' }] },
  { identities: [{ clientId: CLIENT, name: 'web' }] },
  { identities: { clientId: CLIENT } },
  { endpoints: { authority: 'http://login.internal' } },
  { passthrough: ['/metadata/instance'] },
]) {
  t.test(`refuses ${JSON.stringify(raw)}`, async (t) => t.ok(refused(raw)))
}
