import fc from 'fast-check'
import t from 'tap'
import { findInstanceNode, instanceTree } from '../../../src/endpoints/azure/instance-tree.ts'
import { tokenQuery } from '../../../src/endpoints/azure/token-query.ts'
import { MetadatadError } from '../../../src/lib/errors.ts'

const NAMES = [
  'api-version',
  'resource',
  'client_id',
  'object_id',
  'mi_res_id',
  'msi-res-id',
  'principal_id',
  'x',
  '__proto__',
]

/** What the query means, or the code of its refusal; anything else thrown fails the test. */
function outcome(query: string) {
  try {
    return tokenQuery(query)
  } catch (thrown) {
    if (thrown instanceof MetadatadError && !thrown.retryable) return thrown.code
    throw thrown
  }
}

t.test('a query string is read or refused, whatever it is', async () => {
  fc.assert(fc.property(fc.string(), (query) => outcome(query) !== undefined))
})

t.test('a query that is read has one resource, and the one selector that was sent', async (t) => {
  const pair = fc.tuple(
    fc.constantFrom(...NAMES),
    fc.constantFrom('2018-02-01', 'https://a/?b=c&d', 'id', ''),
  )
  let read = 0
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 5 }), (pairs) => {
      const result = outcome(String(new URLSearchParams(pairs)))
      if (typeof result === 'string') return true
      read++
      const valuesOf = (name: string) => pairs.filter(([it]) => it === name).map(([, value]) => value)
      const selectors = pairs.filter(([name]) => /_id$|-id$/.test(name))
      const sameResource = valuesOf('resource').length === 1 && valuesOf('resource')[0] === result.resource
      return (
        sameResource &&
        selectors.length === (result.selector === undefined ? 0 : 1) &&
        selectors[0]?.[1] === result.selector?.value
      )
    }),
    {
      numRuns: 2000,
      examples: [
        [
          [
            ['api-version', '2018-02-01'],
            ['resource', 'id'],
            ['client_id', 'id'],
          ],
        ],
      ],
    },
  )
  t.ok(read > 0)
})

t.test('a path into the instance finds what is its own, and nothing of the language', async () => {
  const facts = {
    tenantId: '',
    azEnvironment: '',
    location: '',
    zone: '',
    vmSize: '',
    name: '',
    privateIpAddress: '',
  }
  const tree = instanceTree(facts, '2021-02-01')
  const segment = fc.oneof(
    fc.constantFrom(
      'network',
      'interface',
      '0',
      '1',
      'ipv4',
      'length',
      'constructor',
      '__proto__',
      'at',
      '-1',
      '00',
    ),
    fc.string(),
  )
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 6 }), (path) => {
      const node = findInstanceNode(tree, path)
      return (
        node === undefined || typeof node === 'string' || JSON.stringify(tree).includes(JSON.stringify(node))
      )
    }),
  )
})
