import t from 'tap'
import { Trusts } from '../../../src/sandbox/google/trusts.ts'
import { PROVIDER } from './start-world.ts'

t.test('a trust that Google would not take is a mistake of the caller', (t) => {
  const trusts = new Trusts()
  const issuer = 'https://issuer.example'
  const names = [
    ...['', 'pool', `//iam.googleapis.com/${PROVIDER}`, `${PROVIDER}/`, PROVIDER.replace('prod', 'p')],
    ...[PROVIDER.replace('123', 'my-project'), PROVIDER.replace('global', 'europe')],
  ]
  for (const name of names) t.throws(() => trusts.addProvider(name, { issuer }), TypeError, name)
  for (const bad of ['', 'issuer.example', 'http://issuer.example']) {
    t.throws(() => trusts.addProvider(PROVIDER, { issuer: bad }), TypeError, bad)
    t.throws(() => trusts.addIdentityNamespace('p.svc.id.goog', 'x', { issuer: bad }), TypeError, bad)
  }
  for (const target of ['subject', 'google.groups', 'attribute.', 'attribute.Upper', 'attribute.a/b']) {
    const attributeMapping = { [target]: 'assertion.sub' }
    t.throws(() => trusts.addProvider(PROVIDER, { issuer, attributeMapping }), TypeError, target)
  }
  t.throws(
    () => trusts.addProvider(PROVIDER, { issuer, attributeMapping: { 'attribute.a': 'x' } }),
    TypeError,
  )
  t.throws(() => trusts.addIdentityNamespace('p', 'x', { issuer }), TypeError)
  t.equal(trusts.find(`//iam.googleapis.com/${PROVIDER}`), undefined, 'and nothing of it is trusted')
  trusts.addProvider(PROVIDER, { issuer })
  t.ok(trusts.find(`//iam.googleapis.com/${PROVIDER}`))
  t.end()
})
