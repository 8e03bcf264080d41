import fc from 'fast-check'
import t from 'tap'
import { parseGreeting } from '../../src/lib/self-test-greeting.ts'
import { type ProbeReport, parseReport } from '../../src/lib/self-test-report.ts'

const outcome = fc.record(
  {
    address: fc.oneof(fc.ipV4(), fc.ipV6()),
    port: fc.integer({ min: 1, max: 65_535 }),
    protocol: fc.constantFrom('tcp', 'udp'),
    result: fc.constantFrom('self', 'answered', 'refused', 'silent', 'unroutable'),
    instance: fc.string({ maxLength: 64 }),
    detail: fc.string({ maxLength: 128 }),
  },
  { requiredKeys: ['address', 'port', 'protocol', 'result'], noNullPrototype: true },
)
const report = fc.record(
  { intervalSeconds: fc.integer({ min: 1, max: 3_600 }), outcomes: fc.array(outcome, { maxLength: 128 }) },
  { noNullPrototype: true },
) as fc.Arbitrary<ProbeReport>

t.test('a report survives its way', async (t) => {
  fc.assert(
    fc.property(report, (sent) => t.strictSame(parseReport(JSON.stringify(sent)), sent)),
    { numRuns: 50 },
  )
})

t.test('whatever is sent, reading it gives a report within its bounds or nothing', async (t) => {
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    report.map((it) => JSON.stringify({ ...it, more: 1 })),
    fc
      .tuple(report, fc.jsonValue(), fc.constantFrom('intervalSeconds', 'outcomes'))
      .map(([it, value, key]) => JSON.stringify({ ...it, [key]: value })),
  )
  fc.assert(
    fc.property(text, (sent) => {
      const read = parseReport(sent)
      if (read === undefined) return
      t.ok(read.outcomes.length <= 128)
      t.ok(
        Number.isInteger(read.intervalSeconds) && read.intervalSeconds >= 1 && read.intervalSeconds <= 3_600,
      )
      t.strictSame(Object.keys(read).sort(), ['intervalSeconds', 'outcomes'])
    }),
  )
})

t.test('what is no report is not taken for one', async (t) => {
  const fine = { intervalSeconds: 60, outcomes: [] }
  t.strictSame(parseReport(JSON.stringify(fine)), fine)
  const one = { address: '10.0.0.1', port: 80, protocol: 'tcp', result: 'silent' }
  for (const wrong of [
    { ...fine, intervalSeconds: 0 },
    { ...fine, intervalSeconds: 1.5 },
    { ...fine, intervalSeconds: 3_601 },
    { ...fine, outcomes: Array(129).fill(one) },
    { ...fine, outcomes: [{ ...one, port: 0 }] },
    { ...fine, outcomes: [{ ...one, result: 'fine' }] },
    { ...fine, outcomes: [{ ...one, address: 'x'.repeat(46) }] },
    { ...fine, outcomes: [{ ...one, detail: 'x'.repeat(129) }] },
    { outcomes: [] },
    [],
    null,
  ]) {
    t.equal(parseReport(JSON.stringify(wrong)), undefined)
  }
  t.equal(parseReport(''), undefined)
})

t.test('an answer of anybody else is no greeting', async (t) => {
  const greeting = {
    instance: '0123456789abcdef0123456789abcdef',
    node: 'node-1',
    expected: {
      mode: 'redirect',
      captured: ['169.254.169.254'],
      allow: [{ address: '169.254.169.254', port: 53 }],
      exempt: [],
    },
  }
  t.strictSame(parseGreeting(JSON.stringify(greeting)), greeting)
  t.equal(parseGreeting(JSON.stringify({ ...greeting, instance: 'RAW' })), undefined)
  t.equal(parseGreeting('computeMetadata/\n'), undefined)
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => t.equal(parseGreeting(text), undefined)))
})
