import fc from 'fast-check'
import t from 'tap'
import { canonicalScopes, DEFAULT_SCOPES } from '../../src/exchange/google-scopes.ts'

t.test('no scopes are the default scopes', async (t) => {
  t.strictSame(canonicalScopes([], ['b', 'a']), ['a', 'b'])
  t.strictSame(
    canonicalScopes([...DEFAULT_SCOPES].reverse(), DEFAULT_SCOPES),
    canonicalScopes([], DEFAULT_SCOPES),
  )
})

t.test('order and repetition make no difference', async () => {
  const scopes = fc.array(fc.constantFrom('a', 'b', 'c', 'email'), { minLength: 1, maxLength: 10 })
  fc.assert(
    fc.property(scopes, scopes, (one, other) => {
      const same = one.every((scope) => other.includes(scope)) && other.every((scope) => one.includes(scope))
      return same === (canonicalScopes(one, []).join() === canonicalScopes(other, []).join())
    }),
  )
})

t.test('what is no scope is refused', async (t) => {
  const many = Array.from({ length: 33 }, (_, index) => `s${index}`)
  for (const scopes of [[''], ['a b'], ['a"'], ['a\\'], ['a\n'], ['é'], ['x'.repeat(257)], many]) {
    t.throws(() => canonicalScopes(scopes, []), {
      code: 'REQUEST_INVALID',
      fault: 'caller',
      retryable: false,
    })
  }
})
