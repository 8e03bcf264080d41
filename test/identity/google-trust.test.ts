import t from 'tap'
import {
  type GoogleTrust,
  iamMember,
  poolName,
  principalIdentifier,
  stsAudience,
  subjectTokenAudience,
} from '../../src/identity/google-trust.ts'

const POOL = 'projects/123/locations/global/workloadIdentityPools/my-pool'
const pool: GoogleTrust = { kind: 'pool', provider: `${POOL}/providers/my-cluster` }
const namespace: GoogleTrust = {
  kind: 'namespace',
  identityNamespace: 'proj.svc.id.goog',
  identityProvider: 'https://gkehub.googleapis.com/projects/proj/locations/global/memberships/m',
}
const name = { namespace: 'team-a', serviceAccount: 'web' }

t.test('a provider is its own audience, for STS and for the subject token', async (t) => {
  t.equal(stsAudience(pool), `//iam.googleapis.com/${POOL}/providers/my-cluster`)
  t.equal(subjectTokenAudience(pool), stsAudience(pool))
  t.equal(subjectTokenAudience({ ...pool, audience: 'https://my.audience' }), 'https://my.audience')
})

t.test(
  'an identity namespace is the audience of the subject token, and STS is told the provider',
  async (t) => {
    t.equal(
      stsAudience(namespace),
      'identitynamespace:proj.svc.id.goog:https://gkehub.googleapis.com/projects/proj/locations/global/memberships/m',
    )
    t.equal(subjectTokenAudience(namespace), 'proj.svc.id.goog')
  },
)

t.test('members are spelled as policy bindings spell them', async (t) => {
  t.equal(
    iamMember(pool, name),
    `principal://iam.googleapis.com/${POOL}/subject/system:serviceaccount:team-a:web`,
  )
  t.equal(
    iamMember({ ...pool, subject: '{namespace}/{serviceAccount}/{other}/{namespace}' }, name),
    `principal://iam.googleapis.com/${POOL}/subject/team-a/web/{other}/team-a`,
  )
  t.equal(iamMember(namespace, name), 'serviceAccount:proj.svc.id.goog[team-a/web]')
})

t.test('names in a subject are never taken for parts of the template', async (t) => {
  const odd = { namespace: '{serviceAccount}', serviceAccount: '$&{namespace}' }
  t.equal(
    iamMember({ ...pool, subject: '{namespace}:{serviceAccount}' }, odd),
    `principal://iam.googleapis.com/${POOL}/subject/{serviceAccount}:$&{namespace}`,
  )
})

t.test('the pool has a name, and the ServiceAccount a principal where the project is known', async (t) => {
  t.equal(poolName(pool), 'my-pool')
  t.equal(poolName(namespace), 'proj.svc.id.goog')
  t.equal(principalIdentifier(pool, name), iamMember(pool, name))
  t.equal(principalIdentifier(namespace, name), undefined)
  t.equal(
    principalIdentifier({ ...namespace, projectNumber: '123' }, name),
    'principal://iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/proj.svc.id.goog/subject/ns/team-a/sa/web',
  )
})
