import t from 'tap'
import { IamPolicy } from '../../../src/sandbox/google/iam-policy.ts'
import { PRINCIPAL } from './start-world.ts'

t.test('a grant to what is no member is a mistake of the caller', (t) => {
  const members = [
    ...['', 'allUsers', 'user:a@example.com', 'system:serviceaccount:ns:app', 'serviceAccount:p.svc.id.goog'],
    ...['serviceAccount:p.svc.id.goog[ns]', 'serviceAccount:p.svc.id.goog[ns/app]x', `${PRINCIPAL}\n`],
    ...[PRINCIPAL.replace('projects/123', 'projects/name'), PRINCIPAL.replace('principal:', 'principalSet:')],
    ...['principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/*'],
    ...[`principal:${PRINCIPAL}`, `${PRINCIPAL.slice(0, PRINCIPAL.lastIndexOf('/'))}/`],
  ]
  for (const member of members) {
    t.throws(() => new IamPolicy().grant('a@b', member, 'roles/iam.workloadIdentityUser'), TypeError, member)
  }
  t.end()
})

t.test('roles hold the permissions that Google gives them', (t) => {
  const policy = new IamPolicy()
  policy.grant('user@p', PRINCIPAL, 'roles/iam.workloadIdentityUser')
  policy.grant('creator@p', PRINCIPAL, 'roles/iam.serviceAccountTokenCreator')
  const allows = (email: string, permission: Parameters<IamPolicy['allows']>[1]) =>
    policy.allows(['another', PRINCIPAL], permission, email)
  t.equal(allows('user@p', 'iam.serviceAccounts.getAccessToken'), true)
  t.equal(allows('user@p', 'iam.serviceAccounts.getOpenIdToken'), true)
  t.equal(allows('user@p', 'iam.serviceAccounts.implicitDelegation'), false)
  t.equal(allows('creator@p', 'iam.serviceAccounts.implicitDelegation'), true)
  t.equal(allows('nobody@p', 'iam.serviceAccounts.getAccessToken'), false)
  t.equal(policy.allows([], 'iam.serviceAccounts.getAccessToken', 'user@p'), false)
  policy.revoke('nobody@p', PRINCIPAL)
  policy.revoke('user@p', PRINCIPAL)
  t.equal(allows('user@p', 'iam.serviceAccounts.getAccessToken'), false)
  t.end()
})
