import t from 'tap'
import { TapSummary } from '../../scripts/tap-summary.ts'

function summarise(text: string, exitCode: number | null = 0) {
  const said: string[] = []
  const summary = new TapSummary((line) => said.push(line))
  for (const line of text.split('\n')) summary.line(line)
  summary.end(exitCode)
  return { counts: summary.counts, said }
}

t.test('a file that passed is one line', async (t) => {
  const { counts, said } = summarise(
    'TAP version 14\n1..1\n# Subtest: a.test.ts\n    ok 1 - x\n    1..1\nok 1 - a.test.ts # time=1500ms\n\n# { total: 1, pass: 1 }',
  )
  t.strictSame(said, ['ok     a.test.ts (1.5 s)'])
  t.strictSame(counts, { passed: 1, failed: 0, skipped: 0 })
})

t.test('a file that failed says what failed and nothing of what passed', async (t) => {
  const { counts, said } = summarise(
    '# Subtest: a.test.ts\n    ok 1 - fine\n    not ok 2 - broken\n      ---\n      found: 1\n      ...\nnot ok 1 - a.test.ts # time=5ms\n# { total: 2, pass: 1, fail: 1 }',
    1,
  )
  t.ok(said.includes('    not ok 2 - broken') && said.includes('      found: 1'))
  t.notOk(said.some((line) => line.includes('fine')))
  t.strictSame(counts, { passed: 1, failed: 1, skipped: 0 })
})

t.test('a skip gives its reason; one without is a failure', async (t) => {
  const { counts, said } = summarise(
    '    ok 1 - needs kubectl # SKIP kubectl is not installed\n    ok 2 - lazy # SKIP\nok 1 - a.test.ts # time=5ms\n# { total: 2, skip: 2 }',
  )
  t.ok(said.includes('skip   needs kubectl: kubectl is not installed'))
  t.strictSame(counts, { passed: 0, failed: 1, skipped: 2 })
})

t.test('a run that does not come to its end is a failure', async (t) => {
  t.equal(summarise('TAP version 14\n# Subtest: a.test.ts\n    ok 1 - x', null).counts.failed, 1)
  t.equal(summarise('# { total: 1, pass: 1 }', 1).counts.failed, 1)
})
