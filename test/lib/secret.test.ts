import { format, inspect } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { createLog } from '../../src/lib/log.ts'
import { Secret } from '../../src/lib/secret.ts'

t.test('a secret shows a digest by every ordinary means, and its value only by reveal', async () => {
  fc.assert(
    fc.property(fc.string({ minLength: 16 }), (value) => {
      const secret = new Secret(value)
      const lines: string[] = []
      createLog('debug', { write: (line) => lines.push(line) }).info(
        { secret, nested: { secret } },
        'message',
      )
      const shown = [
        String(secret),
        `${secret}`,
        JSON.stringify({ secret }),
        inspect(secret, { showHidden: true, depth: 9 }),
        inspect({ deep: [secret] }, { depth: 9 }),
        format('%s %o %j', secret, secret, secret),
        Object.entries(secret).join(),
        ...lines,
      ].join('\n')
      return !shown.includes(value) && shown.includes(secret.digest) && secret.reveal() === value
    }),
  )
})

t.test('two secrets of one value have one digest', async (t) => {
  t.equal(new Secret('a').digest, new Secret('a').digest)
  t.not(new Secret('a').digest, new Secret('b').digest)
  t.match(new Secret('a').digest, /^sha256:[0-9a-f]{12}$/)
})
