import fc from 'fast-check'
import t from 'tap'
import type { GoogleTrust } from '../../src/identity/google-trust.ts'
import { createGoogleIdentityResolver } from '../../src/identity/resolve-google-identity.ts'
import { createIdentityRules, type IdentityRule } from '../../src/identity/rules.ts'
import { MetadatadError } from '../../src/lib/errors.ts'

const POOL = 'projects/123/locations/global/workloadIdentityPools/my-pool'
const PRINCIPAL = `principal://iam.googleapis.com/${POOL}/subject/system:serviceaccount:team-a:web`
const trust: GoogleTrust = { kind: 'pool', provider: `${POOL}/providers/my-cluster` }
const namespaceTrust: GoogleTrust = {
  kind: 'namespace',
  identityNamespace: 'proj.svc.id.goog',
  identityProvider: 'https://container.googleapis.com/v1/projects/proj/locations/eu/clusters/c',
}
const EMAIL = 'iam.gke.io/gcp-service-account'

interface Setup {
  trust?: GoogleTrust
  unannotated?: 'federate' | 'refuse'
  rules?: readonly IdentityRule[]
}

function resolve(annotations: Record<string, string>, setup: Setup = {}) {
  const options = { trust: setup.trust ?? trust, unannotated: setup.unannotated ?? 'federate' }
  const resolver = createGoogleIdentityResolver(options, createIdentityRules(setup.rules ?? []))
  const serviceAccount = { namespace: 'team-a', name: 'web', uid: 'u', resourceVersion: '1', annotations }
  return resolver.resolve({ namespace: 'team-a', name: 'web-0' }, serviceAccount)
}

function failure(annotations: Record<string, string>, setup?: Setup): MetadatadError {
  try {
    resolve(annotations, setup)
  } catch (error) {
    if (error instanceof MetadatadError) return error
    throw error
  }
  throw new Error('was not refused')
}

t.test('an annotated ServiceAccount is the service account it names', async (t) => {
  const email = 'web@proj.iam.gserviceaccount.com'
  t.strictSame(resolve({ [EMAIL]: email }), {
    cloud: 'google',
    serviceAccountEmail: email,
    quotaProject: undefined,
    email,
    member: PRINCIPAL,
  })
  t.equal(resolve({ [EMAIL]: email, 'iam.gke.io/return-principal-id-as-email': 'true' }).email, email)
  t.equal(resolve({ [EMAIL]: email }, { unannotated: 'refuse' }).email, email)
})

t.test(
  'a ServiceAccount with no annotation is the federated identity, shown by the name of the pool',
  async (t) => {
    t.strictSame(resolve({}), {
      cloud: 'google',
      serviceAccountEmail: undefined,
      quotaProject: undefined,
      email: 'my-pool',
      member: PRINCIPAL,
    })
    t.match(resolve({}, { trust: namespaceTrust }), {
      email: 'proj.svc.id.goog',
      member: 'serviceAccount:proj.svc.id.goog[team-a/web]',
    })
  },
)

t.test('the principal identifier is shown as e-mail on demand', async (t) => {
  const annotations = { 'iam.gke.io/return-principal-id-as-email': 'true' }
  t.equal(resolve(annotations).email, PRINCIPAL)
  t.equal(resolve({ 'iam.gke.io/return-principal-id-as-email': 'false' }).email, 'my-pool')
  t.equal(
    resolve(annotations, { trust: { ...namespaceTrust, projectNumber: '123' } }).email,
    'principal://iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/proj.svc.id.goog/subject/ns/team-a/sa/web',
  )
  t.equal(resolve(annotations, { trust: namespaceTrust }).email, 'proj.svc.id.goog')
})

t.test('the quota project is a project or refused', async (t) => {
  const of = (value: string) => ({ 'iam.gke.io/credential-quota-project': value })
  for (const project of ['my-project', '123456', 'example.com:my-project']) {
    t.equal(resolve(of(project)).quotaProject, project)
  }
  for (const project of ['', 'x', 'a\r\nb', 'a b', 'My-Project', `a${'b'.repeat(200)}`]) {
    t.match(failure(of(project)), { code: 'IDENTITY_INVALID', retryable: false }, JSON.stringify(project))
  }
})

t.test('a ServiceAccount with no annotation is refused where the operator says so', async (t) => {
  const error = failure({}, { unannotated: 'refuse' })
  t.match(error, { code: 'IDENTITY_NONE', fault: 'policy', retryable: false })
  t.match(error.publicMessage, /^ServiceAccount team-a\/web has no Google identity\. Annotate it/)
})

t.test('an annotation that is no e-mail is refused, never taken for none', async (t) => {
  for (const value of ['', ' ', 'nobody', 'web@proj.iam.gserviceaccount.com,x']) {
    t.equal(failure({ [EMAIL]: value }).code, 'IDENTITY_INVALID', JSON.stringify(value))
  }
})

t.test(
  'the message about a malformed annotation is printable and short, whatever the annotation is',
  async () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (value) => {
        fc.pre(!/^[a-z0-9._-]+@[a-z0-9.-]+$/.test(value))
        const { code, publicMessage } = failure({ [EMAIL]: value })
        return code === 'IDENTITY_INVALID' && /^[\x20-\x7e]{1,300}$/.test(publicMessage)
      }),
    )
  },
)

t.test("the operator's rules decide by the service account", async (t) => {
  const rules = [{ namespace: 'team-a', identity: '*@proj.iam.gserviceaccount.com', allow: true }]
  t.equal(
    resolve({ [EMAIL]: 'web@proj.iam.gserviceaccount.com' }, { rules }).email,
    'web@proj.iam.gserviceaccount.com',
  )
  const error = failure({ [EMAIL]: 'web@other.iam.gserviceaccount.com' }, { rules })
  t.match(error, { code: 'IDENTITY_REFUSED', fault: 'policy', retryable: false })
  t.match(error.publicMessage, /ServiceAccount team-a\/web .* web@other\.iam\.gserviceaccount\.com/)
})

t.test("the operator's rules know the federated identity by that word and by its member", async (t) => {
  t.equal(failure({}, { rules: [{ identity: '*@*', allow: true }] }).code, 'IDENTITY_REFUSED')
  t.equal(resolve({}, { rules: [{ identity: 'federated', allow: true }] }).member, PRINCIPAL)
  t.equal(resolve({}, { rules: [{ identity: 'principal://*:team-a:*', allow: true }] }).member, PRINCIPAL)
})

t.test("another namespace's ServiceAccount is never a pod's", async (t) => {
  const resolver = createGoogleIdentityResolver({ trust, unannotated: 'federate' }, createIdentityRules([]))
  const serviceAccount = { namespace: 'team-b', name: 'web', uid: 'u', resourceVersion: '1', annotations: {} }
  t.throws(() => resolver.resolve({ namespace: 'team-a' }, serviceAccount), {
    code: 'IDENTITY_REFUSED',
    fault: 'ours',
  })
})
