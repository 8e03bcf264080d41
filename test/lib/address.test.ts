import { isIP } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { canonicalAddress } from '../../src/lib/address.ts'

t.test('one address has one spelling', async (t) => {
  for (const [text, wanted] of [
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:0a00:0001', '10.0.0.1'],
    ['0:0:0:0:0:ffff:a00:1', '10.0.0.1'],
    ['FD00:0:0::0001', 'fd00::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::1', '::1'],
  ] as const) {
    t.equal(canonicalAddress(text), wanted, text)
  }
})

t.test('what is no address has no spelling', async (t) => {
  for (const text of [
    '',
    '010.1.1.1',
    '10.0.0.1:80',
    '10.0.0.1%eth0',
    '[::1]',
    'localhost',
    '::ffff:10.0.0.256',
    '1',
  ]) {
    t.equal(canonicalAddress(text), undefined, text)
  }
})

t.test(
  'any text at all is told apart without throwing, and the spelling of a spelling is itself',
  async () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.ipV4(),
          fc.ipV6(),
          fc.ipV4().map((ip) => `::ffff:${ip}`),
        ),
        (text) => {
          const canonical = canonicalAddress(text)
          if (isIP(text) !== 0 && canonical === undefined) return false
          return (
            canonical === undefined || (isIP(canonical) !== 0 && canonicalAddress(canonical) === canonical)
          )
        },
      ),
    )
  },
)
