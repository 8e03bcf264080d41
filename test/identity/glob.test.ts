import fc from 'fast-check'
import t from 'tap'
import { matchesGlob } from '../../src/identity/glob.ts'

t.test('a glob is anchored at both ends', async (t) => {
  t.equal(matchesGlob('team-a', 'team-a'), true)
  t.equal(matchesGlob('team-a', 'team-ab'), false)
  t.equal(matchesGlob('team-a', 'xteam-a'), false)
  t.equal(matchesGlob('*@proj.iam.gserviceaccount.com', 'sa@proj.iam.gserviceaccount.com'), true)
  t.equal(matchesGlob('*@proj.iam.gserviceaccount.com', 'sa@proj.iam.gserviceaccount.com.evil.com'), false)
})

t.test('a star is any run, a question mark one character, and nothing else is special', async (t) => {
  t.equal(matchesGlob('*', ''), true)
  t.equal(matchesGlob('', ''), true)
  t.equal(matchesGlob('', 'a'), false)
  t.equal(matchesGlob('a?c', 'abc'), true)
  t.equal(matchesGlob('a?c', 'ac'), false)
  t.equal(matchesGlob('a*b*c', 'a-b-b-c'), true)
  t.equal(matchesGlob('a.c', 'abc'), false)
  t.equal(matchesGlob('[ab]', 'a'), false)
  t.equal(matchesGlob('*a', '*ba'), true)
})

t.test('a glob matches what the same regular expression matches', async () => {
  const small = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 })
  fc.assert(
    fc.property(small, small, (pattern, text) => {
      const source = pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.')
      return matchesGlob(pattern, text) === new RegExp(`^${source}$`, 's').test(text)
    }),
    { numRuns: 5_000 },
  )
})

t.test('a hostile pattern does not take exponential time', async (t) => {
  t.equal(matchesGlob(`${'*a'.repeat(200)}*b`, 'a'.repeat(2_000)), false)
})
