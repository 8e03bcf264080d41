import fc from 'fast-check'
import t from 'tap'
import { problemLine } from '../../src/config/config-error.ts'
import { MAX_CONFIG_BYTES, readConfigFile } from '../../src/config/read-file.ts'
import { MINIMAL, problemsOf } from './support.ts'

const read = (text: string) => readConfigFile({ name: 'c.yaml', text })

t.test('reads values with the line of each and of each part', async (t) => {
  const { values, problems } = read('log:\n  level: info\nrules:\n  - namespace: a\n    allow: true\n')
  t.strictSame(problems, [])
  t.match(values.get('log.level'), { value: 'info', source: 'c.yaml:2' })
  t.equal(values.get('rules')?.partSources?.get('0.allow'), 'c.yaml:5')
})

t.test('an empty file, and sections without keys, say nothing', async (t) => {
  t.equal(read('').values.size, 0)
  t.equal(read('# nothing\n').values.size, 0)
  const { values, sections, problems } = read('google:\nlog: {}\n')
  t.equal(values.size, 0)
  t.strictSame([...sections.keys()], ['google', 'log'])
  t.strictSame(problems, [])
})

for (const [name, text, line] of [
  [
    'a key that is there twice',
    'log: {level: info}\nlog: {level: warn}\n',
    'c.yaml:2: log: is there twice; keep one',
  ],
  [
    'a key that is twice in a rule',
    'rules:\n- allow: true\n  allow: false\n',
    'c.yaml:3: rules.allow: is there twice; keep one',
  ],
  ['a text where a section belongs', 'log: loud\n', 'c.yaml:1: log: must be a section: keys with values'],
  ['a list as the whole', '- a\n', 'c.yaml:1: must be a section: keys with values'],
  [
    'a key that is no text',
    '5: a\n',
    'c.yaml:1: has a key that is not a text; write the key as a plain word',
  ],
  ['an empty key', '"": a\n', 'c.yaml:1: has a key without a name; write the key as a plain word'],
  [
    'an empty key in a section',
    'log: {"": 1}\n',
    'c.yaml:1: log: has a key without a name; write the key as a plain word',
  ],
  [
    'an alias',
    'cluster:\n  name: &n a\n  location: *n\n',
    'c.yaml:3: cluster.location: must not be an alias; write the value itself',
  ],
  ['an unknown tag', 'stateDir: !path /x\n', 'c.yaml:1: is not valid YAML: Unresolved tag: !path'],
  ['deep nesting', `rules: ${'['.repeat(12)}${']'.repeat(12)}\n`, 'c.yaml:1: rules: is nested too deeply'],
  ['two documents', 'log: {}\n---\nlog: {}\n', /c\.yaml:2: is not valid YAML: .*multiple documents/],
] as const) {
  t.test(`refuses ${name}`, async (t) => {
    t.match(read(text).problems.map(problemLine), [line])
  })
}

t.test('syntax errors are told alone: what follows from them would only confuse', async (t) => {
  const problems = problemsOf('google: {projectId: [\n')
  t.ok(problems.length > 0 && problems.every(({ message }) => message.startsWith('is not valid YAML')))
})

t.test('nesting that ends the stack, and a file over the limit, are problems like any other', async (t) => {
  t.ok(read('['.repeat(100_000)).problems.length > 0)
  const { problems } = read(`${MINIMAL}${'#'.repeat(MAX_CONFIG_BYTES)}`)
  t.strictSame(
    problems.map(({ message }) => message),
    ['is larger than 1 MiB'],
  )
})

t.test('aliases can not grow a small file into a huge value', async (t) => {
  let text = 'cluster:\n  name: &a0 [x]\n'
  for (let i = 1; i < 40; i++) text += `  k${i}: &a${i} [*a${i - 1}, *a${i - 1}]\n`
  t.ok(read(text).problems.length <= 100)
})

t.test('many duplicate and unknown keys are read in linear time and reported within bounds', async (t) => {
  const { problems } = read(`${Array.from({ length: 50_000 }, (_, i) => `k${i % 40_000}: 1`).join('\n')}\n`)
  t.equal(problems.length, 100)
})

t.test('a key called __proto__ is unknown, and changes nothing', async (t) => {
  t.match(read('__proto__: {level: debug}\n').problems, [{ key: '__proto__', message: 'is not a key' }])
  t.match(problemsOf(`${MINIMAL}rules: [{allow: true, __proto__: {allow: false}}]\n`), [
    { key: 'rules[0].__proto__' },
  ])
})

t.test('no text makes it throw', async (t) => {
  const yamlish = fc.string({
    unit: fc.constantFrom(...'google: rules[]{}&*!|>-#\'"\n\t,?%@'),
    maxLength: 200,
  })
  fc.assert(
    fc.property(fc.oneof(fc.string(), yamlish), (text) => read(text).problems.every(({ key }) => key !== '')),
  )
  t.pass()
})
