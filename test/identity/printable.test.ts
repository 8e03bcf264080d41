import fc from 'fast-check'
import t from 'tap'
import { printable } from '../../src/identity/printable.ts'

t.test('text is kept where it can be, replaced and cut where it can not', async (t) => {
  t.equal(printable('a b~'), 'a b~')
  t.equal(printable('a\r\nb\u001b[31mé'), 'a??b?[31m?')
  t.equal(printable('abcdef', 5), 'ab...')
})

t.test('the outcome is always printable and never too long', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 3, max: 50 }), (text, max) => {
      const shown = printable(text, max)
      return shown.length <= max && /^[\x20-\x7e]*$/.test(shown)
    }),
  )
})
