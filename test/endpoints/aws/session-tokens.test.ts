import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { SessionTokens } from '../../../src/endpoints/aws/session-tokens.ts'

const NOW = Date.UTC(2026, 0, 1)
const tokens = new SessionTokens(createSecretKey(Buffer.alloc(32, 1)))

t.test('a token is good for its address, its pod and its time, whatever they are', async () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6())
  fc.assert(
    fc.property(
      address,
      address,
      fc.uuid(),
      fc.uuid(),
      fc.integer({ min: 1, max: 21_600 }),
      (a, b, u, v, ttl) => {
        const token = tokens.issue(a, u, ttl, NOW)
        const end = NOW + ttl * 1000
        const read = tokens.read(token, a, end - 1)
        return (
          /^[\w-]+$/.test(token) &&
          read?.belongsTo({ uid: u, createdAt: end }) === true &&
          (u === v || !read.belongsTo({ uid: v, createdAt: 0 })) &&
          (a === b || tokens.read(token, b, NOW) === undefined) &&
          tokens.read(token, a, end) === undefined
        )
      },
    ),
  )
})

t.test('nothing else is a token: no text, no changed token, no other key’s', async () => {
  const good = tokens.issue('10.0.0.1', 'u', 60, NOW)
  const isNone = (token: string) => tokens.read(token, '10.0.0.1', NOW) === undefined
  const other = new SessionTokens(createSecretKey(Buffer.alloc(32, 2)))
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.base64String(), fc.string({ minLength: 76, maxLength: 76 })),
      isNone,
    ),
  )
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.constantFrom(...'Aa0-_ \n=%é'), (at, character) => {
      const changed = good.slice(0, at) + character + good.slice(at + 1)
      return changed === good || isNone(changed)
    }),
  )
  for (const token of [other.issue('10.0.0.1', 'u', 60, NOW), `${good}\n`, `${good}=`, good.slice(1)]) {
    if (!isNone(token)) throw new Error(token)
  }
})

t.test('a token from far in the future is none: a clock was set back', async (t) => {
  const ahead = tokens.issue('10.0.0.1', undefined, 21_600, NOW + 60_001)
  t.equal(tokens.read(ahead, '10.0.0.1', NOW), undefined)
  t.ok(tokens.read(ahead, '10.0.0.1', NOW + 1))
})

t.test(
  'a token whose pod was not known is good for whoever was created before, as clocks tell',
  async (t) => {
    const read = tokens.read(tokens.issue('10.0.0.1', undefined, 60, NOW), '10.0.0.1', NOW)!
    t.ok(read.belongsTo({ uid: 'a', createdAt: NOW }))
    t.ok(read.belongsTo({ uid: 'a', createdAt: NOW + 10_000 }), "the API server's clock may be ahead")
    t.notOk(read.belongsTo({ uid: 'a', createdAt: NOW + 10_001 }))
  },
)
