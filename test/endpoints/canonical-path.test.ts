import fc from 'fast-check'
import t from 'tap'
import { canonicalPath } from '../../src/endpoints/canonical-path.ts'

t.test('a path has one spelling', async (t) => {
  t.equal(canonicalPath('/'), '/')
  t.equal(canonicalPath('//'), '/')
  t.equal(canonicalPath('/computeMetadata/v1/'), '/computeMetadata/v1/')
  t.equal(canonicalPath('/%63omputeMetadata/v1'), '/computeMetadata/v1')
  t.equal(canonicalPath('//computeMetadata///v1//'), '/computeMetadata/v1/')
  t.equal(canonicalPath('/a%40b.example'), '/a@b.example')
  t.equal(canonicalPath('/a@b.example'), '/a@b.example')
  t.equal(canonicalPath('/...'), '/...')
})

t.test('what can be read as another path is refused', async (t) => {
  const refused = [
    '',
    '*',
    'http://169.254.169.254/computeMetadata/v1/',
    'computeMetadata/v1/',
    '/ok/../secret',
    '/ok/%2e%2e/secret',
    '/ok/.%2E/secret',
    '/ok/./secret',
    '/ok/..',
    '/ok/%2e',
    '/ok\\..\\secret',
    '/ok%5c..%5csecret',
    '/ok%2fsecret',
    '/ok%2Fsecret',
    '/ok%00',
    '/ok%0d%0aX: y',
    '/ok%2563',
    '/ok%3Fa',
    '/ok%23a',
    '/ok#a',
    '/ok%',
    '/ok%4',
    '/ok%zz',
    '/ok%e9',
    '/ok\u00e9',
    '/ok%20',
  ]
  for (const path of refused) t.equal(canonicalPath(path), undefined, JSON.stringify(path))
})

const bits = fc.constantFrom(
  '/',
  '.',
  '..',
  '%2e',
  '%2f',
  '%5c',
  '%25',
  '%00',
  '\\',
  'a',
  '%61',
  'A',
  '@',
  ';',
  '?',
  '#',
  '%',
  ' ',
)
const anyPath = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.array(bits, { maxLength: 12 }).map((parts) => `/${parts.join('')}`),
)

t.test(
  'whatever is sent, a canonical path is plain, has no dot segment, and is its own canonical form',
  async () => {
    fc.assert(
      fc.property(anyPath, (raw) => {
        const path = canonicalPath(raw)
        if (path === undefined) return true
        const segments = path.split('/')
        return (
          /^\/[\x21-\x7e]*$/.test(path) &&
          !/[%\\?#]/.test(path) &&
          !path.includes('//') &&
          !segments.includes('.') &&
          !segments.includes('..') &&
          canonicalPath(path) === path &&
          // What other programs make of it is the same path.
          new URL(`http://host${path}`).pathname === path
        )
      }),
      { numRuns: 2000 },
    )
  },
)

t.test('escaping any character of a path, or doubling its slashes, changes nothing', async () => {
  const segment = fc.stringMatching(/^[A-Za-z0-9_~!$&'()*+,;=:@-][A-Za-z0-9_.~!$&'()*+,;=:@-]{0,8}$/)
  const path = fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => `/${segments.join('/')}`)
  fc.assert(
    fc.property(path, fc.infiniteStream(fc.boolean()), (canonical, flips) => {
      let spelled = ''
      for (const character of canonical) {
        const flip = flips.next().value
        if (!flip) spelled += character
        else if (character === '/') spelled += '//'
        else spelled += `%${character.charCodeAt(0).toString(16)}`
      }
      return canonicalPath(spelled) === canonical
    }),
  )
})
