import t from 'tap'
import { AccessTokens } from '../../../src/sandbox/google/access-tokens.ts'
import { FakeClock } from '../../support/fake-clock.ts'

t.test('no more tokens than the limit are remembered, and the newest are', (t) => {
  const clock = new FakeClock()
  const tokens = new AccessTokens({ clock, limit: 2 })
  const issue = (lifeMs: number) =>
    tokens.issue({
      ...{ members: ['m'], identity: 'm', scopes: [], podUid: undefined, quotaProject: undefined },
      expiresAt: clock.now() + lifeMs,
    })
  const [first, second, third] = [issue(1000), issue(1000), issue(1000)]
  t.equal(tokens.find(first), undefined)
  t.ok(tokens.find(second))
  t.ok(tokens.find(third))
  t.equal(new Set([first, second, third]).size, 3)
  t.equal(tokens.find(issue(0)), undefined, 'a token without life is dead at once')
  t.end()
})
