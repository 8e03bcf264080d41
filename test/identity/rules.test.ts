import fc from 'fast-check'
import t from 'tap'
import { createIdentityRules } from '../../src/identity/rules.ts'

const use = { namespace: 'team-a', serviceAccount: 'web', identities: ['web@proj.iam.gserviceaccount.com'] }

t.test('no rules allow everything', async (t) => {
  t.equal(createIdentityRules([])(use), true)
})

t.test('rules of which none matches refuse', async (t) => {
  t.equal(createIdentityRules([{ namespace: 'team-b', allow: true }])(use), false)
  t.equal(createIdentityRules([{ namespace: [], allow: true }])(use), false)
})

t.test('the first rule that matches decides', async (t) => {
  const refusal = { namespace: 'team-?', serviceAccount: ['api', 'web'], allow: false }
  t.equal(createIdentityRules([refusal, { allow: true }])(use), false)
  t.equal(createIdentityRules([{ allow: true }, refusal])(use), true)
})

t.test('every part of a rule must match', async (t) => {
  const rule = {
    namespace: 'team-a',
    serviceAccount: 'web',
    identity: '*@proj.iam.gserviceaccount.com',
    allow: true,
  }
  t.equal(createIdentityRules([rule])(use), true)
  for (const part of ['namespace', 'serviceAccount', 'identity']) {
    t.equal(createIdentityRules([{ ...rule, [part]: 'other' }])(use), false, part)
  }
})

t.test('an identity of several names is matched by any of them', async (t) => {
  const rules = createIdentityRules([{ identity: 'federated', allow: true }])
  t.equal(rules({ ...use, identities: ['federated', 'principal://x'] }), true)
  t.equal(rules(use), false)
})

t.test('a rule after the one that decides changes nothing', async () => {
  const glob = fc.constantFrom('*', 'team-a', 'team-*', 'x')
  const rule = fc.record({ namespace: glob, serviceAccount: glob, allow: fc.boolean() })
  fc.assert(
    fc.property(fc.array(rule), fc.array(rule), fc.boolean(), (before, after, allow) => {
      const decided = createIdentityRules([...before, { allow }])(use)
      return createIdentityRules([...before, { allow }, ...after])(use) === decided
    }),
  )
})

t.test('a GUID is the same in any case, in whole or in part', async (t) => {
  const use = { namespace: 'ns', serviceAccount: 'sa', identities: ['c4ec0007-2222-4c22-8000-00000000000a'] }
  for (const identity of ['C4EC0007-2222-4c22-8000-00000000000A', 'C4EC0007-*', ['x', '*-00000000000A']]) {
    const rules = createIdentityRules([{ identity, allow: false }, { allow: true }])
    t.equal(rules(use), false, String(identity))
  }
  const name = createIdentityRules([{ identity: 'Role-*', allow: true }])
  t.equal(name({ ...use, identities: ['role-a'] }), false, 'names are not')
})
