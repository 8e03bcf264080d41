import fc from 'fast-check'
import t from 'tap'
import { compileAttributeExpression } from '../../../src/sandbox/google/attribute-expression.ts'

const CLAIMS = {
  sub: 'system:serviceaccount:ns:app',
  aud: ['one'],
  many: ['a', 'b'],
  count: 7,
  'kubernetes.io': { namespace: 'ns', pod: { name: 'app-0' } },
}

t.test('an expression gives what the claims hold', (t) => {
  const cases: [expression: string, value: string | undefined][] = [
    ['assertion.sub', CLAIMS.sub],
    ['assertion.aud', 'one'],
    ['assertion.aud[0]', 'one'],
    ['assertion.many[1]', 'b'],
    ["assertion['kubernetes.io']['namespace']", 'ns'],
    ['assertion["kubernetes.io"].pod.name', 'app-0'],
    [` 'a+b' + "/" + assertion.sub `, `a+b/${CLAIMS.sub}`],
    ["''", ''],
    ['assertion.missing', undefined],
    ["'x' + assertion.missing", undefined],
    ['assertion.many', undefined],
    ['assertion.many[2]', undefined],
    ['assertion.count', undefined],
    ["assertion['kubernetes.io']", undefined],
    ['assertion.sub.length', undefined],
    ['assertion.constructor.name', undefined],
    ['assertion.__proto__', undefined],
    ['assertion.aud.length', undefined],
  ]
  for (const [expression, value] of cases) {
    t.equal(compileAttributeExpression(expression)(CLAIMS), value, expression)
  }
  t.end()
})

t.test('an expression beyond the supported part of the language is refused when it is configured', (t) => {
  const expressions = [
    ...[
      '',
      ' ',
      '+',
      'assertion',
      'assertion.',
      'assertions.sub',
      'google.sub',
      "'a' 'b'",
      "'a' +",
      "+ 'a'",
      "'a' + + 'b'",
    ],
    ...[
      "'a",
      "'\\n'",
      'assertion[sub]',
      "assertion['a'",
      'assertion.sub.extract("x")',
      'assertion.sub ? 1 : 2',
      '1',
    ],
    `'${'a'.repeat(2048)}'`,
  ]
  for (const expression of expressions)
    t.throws(() => compileAttributeExpression(expression), TypeError, expression)
  t.end()
})

t.test('any text compiles or is refused, and what compiles evaluates on any claims', (t) => {
  const piece = fc.constantFrom(
    'assertion',
    '.sub',
    "['kubernetes.io']",
    '[0]',
    '+',
    "'x'",
    '"y"',
    ' ',
    '.',
    "'",
    '\\',
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
  )
  fc.assert(
    fc.property(text, fc.dictionary(fc.string(), fc.jsonValue()), (expression, claims) => {
      let compiled: ReturnType<typeof compileAttributeExpression>
      try {
        compiled = compileAttributeExpression(expression)
      } catch (error) {
        return error instanceof TypeError
      }
      return ['string', 'undefined'].includes(typeof compiled(claims))
    }),
  )
  t.pass('no other error')
  t.end()
})

t.test('a concatenation is the values of its terms one after the other', (t) => {
  const literal = fc.string().filter((text) => !/['\\]/.test(text) && text.length < 100)
  fc.assert(
    fc.property(fc.array(literal, { minLength: 1, maxLength: 10 }), (literals) => {
      const expression = literals.map((text) => `'${text}'`).join(' + ')
      return compileAttributeExpression(expression)({}) === literals.join('')
    }),
  )
  t.pass('for every list of literals')
  t.end()
})
