import fc from 'fast-check'
import t from 'tap'
import { interceptPlan } from '../../src/intercept/intercept-plan.ts'
import { parseJson } from '../../src/intercept/json-values.ts'
import { listedTable } from '../../src/intercept/listed-table.ts'
import { listedPolicyRules } from '../../src/intercept/policy-rule.ts'
import { readContents } from '../../src/intercept/read-contents.ts'
import { tableDrift } from '../../src/intercept/table-drift.ts'
import { PLAIN } from './on-node.ts'

const plan = interceptPlan('redirect', PLAIN, 'captured')
const nothing = listedTable(undefined)

/** Whatever could be listed: the right words in any arrangement, and anything else. */
const word = fc.constantFrom(
  'toString',
  'nftables',
  'table',
  'rule',
  'set',
  'map',
  'chain',
  'name',
  'elem',
  'expr',
  'generation',
  'capture4',
  'served4',
  'concat',
  'val',
  'timeout',
  '169.254.169.254',
)
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium' },
    word,
    fc.jsonValue(),
    fc.array(tie('value')),
    fc.dictionary(word, tie('value'), { noNullPrototype: true }),
  ),
})).value

t.test('no listing makes a reader throw, and ports are always ports', async () => {
  fc.assert(
    fc.property(json, (listed) => {
      const table = listedTable({ nftables: Array.isArray(listed) ? listed : [listed] })
      tableDrift(table, nothing)
      tableDrift(nothing, table)
      const { ports, served, generation } = readContents(table, plan)
      listedPolicyRules(4, listed)
      return (
        [...ports.values()].every((port) => port > 0 && port < 65_536) &&
        served.every(({ port }) => port > 0 && port < 65_536) &&
        (generation === undefined || Number.isInteger(generation)) &&
        ports.size === plan.captures.length
      )
    }),
  )
})

t.test(
  'two listings differ exactly if their rules do, whatever the order of a set and the counts',
  async () => {
    const rule = fc.record({
      expr: fc.array(
        fc.oneof(fc.record({ set: fc.uniqueArray(fc.nat(9)) }), fc.record({ accept: fc.constant(null) })),
        { maxLength: 3 },
      ),
    })
    const list = (rules: readonly object[]) =>
      listedTable({
        nftables: [
          { chain: { name: 'c', hook: 'input' } },
          ...rules.map((one) => ({ rule: { chain: 'c', ...one } })),
        ],
      })
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 4 }),
        fc.array(rule, { maxLength: 4 }),
        fc.nat(),
        (a, b, handle) => {
          const shuffled = a.map(({ expr }) => ({
            handle,
            expr: expr.map((part) => ('set' in part ? { set: [...part.set].reverse() } : part)),
          }))
          const sorted = (rules: typeof a) =>
            JSON.stringify(
              rules.map(({ expr }) => expr.map((part) => ('set' in part ? [...part.set].sort() : 'accept'))),
            )
          const same = tableDrift(list(shuffled), list(a)).length === 0
          const differ = tableDrift(list(a), list(b)).length > 0
          return same && differ === (sorted(a) !== sorted(b))
        },
      ),
    )
  },
)

t.test('the rules of the second lock are recognised when they are listed', async (t) => {
  const at = { src: 'all', dst: '169.254.169.254' }
  const rule = (text: string, address = at.dst) => ({ family: 4, address, text })
  t.strictSame(
    listedPolicyRules(4, [
      { priority: 2, ...at, table: 'local' },
      { priority: 2, ...at, iif: 'lo', goto: 4 },
      { priority: 2, ...at, ipproto: 'udp', dport: 53, goto: 4, unresolved: null },
      { priority: 2, ...at, ipproto: 'ipproto-6', dport_start: 1024, dport_end: 2048, goto: 4 },
      { priority: 3, ...at, action: 'blackhole' },
      { priority: 4, src: 'all', nop: null },
    ]),
    [
      rule('lookup local'),
      rule('iif lo goto 4'),
      rule('ipproto 17 dport 53 goto 4'),
      rule('ipproto 6 dport 1024-2048 goto 4'),
      rule('blackhole'),
      rule('nop', 'all'),
    ],
  )
  t.strictSame(
    listedPolicyRules(4, [
      { priority: 2, src: 'all', dst: '10.0.0.1', table: 'main' },
      { priority: 9, ...at, table: 'main' },
      { priority: 2, ...at, fwmark: '0x1', table: 'main' },
      { priority: 2, src: 'all', nop: null },
      { priority: 4, src: 'all', table: 'main' },
    ]),
    [],
    "others' are left alone",
  )
})

t.test('what is no JSON is nothing', async (t) => {
  t.equal(parseJson('{'), undefined)
  t.strictSame(listedPolicyRules(4, parseJson('')), [])
})
