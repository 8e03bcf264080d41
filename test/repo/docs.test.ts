import t from 'tap'
import { configurationPage } from '../../scripts/configuration-page.ts'
import { metricsPage } from '../../scripts/metrics-page.ts'
import { CONFIG_LEAVES } from '../../src/config/leaves.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { readRepoFile, tableKeys } from './support.ts'

t.test('docs/errors.md lists every error code and no other', async (t) => {
  const source = readRepoFile('src/lib/errors.ts')
  const union = /export type ErrorCode =([\s\S]*?)\n\n/.exec(source)?.[1] ?? ''
  const codes = [...union.matchAll(/'([A-Z_]+)'/g)].map((match) => match[1]!)
  t.ok(codes.length > 0)
  t.strictSame(tableKeys('docs/errors.md').sort(), codes.sort())
})

t.test('docs/metrics.md lists every metric and no other', async (t) => {
  const names = createMetrics()
    .registry.getMetricsAsArray()
    .map(({ name }) => name)
  t.ok(names.length > 0)
  t.strictSame(tableKeys('docs/metrics.md').sort(), names.sort())
})

t.test('docs/configuration.md lists every key, flag and variable and no other', async (t) => {
  const page = readRepoFile('docs/configuration.md')
  t.strictSame(tableKeys('docs/configuration.md').sort(), CONFIG_LEAVES.map(({ key }) => key).sort())
  const flags = CONFIG_LEAVES.flatMap(({ flag }) => flag ?? [])
  t.strictSame([...page.matchAll(/`(--[a-z0-9-]+)` \|/g)].map((match) => match[1]).sort(), flags.sort())
  const variables = CONFIG_LEAVES.flatMap(({ env }) => env ?? [])
  t.strictSame(
    [...page.matchAll(/`(METADATAD_[A-Z0-9_]+)` \|/g)].map((match) => match[1]).sort(),
    variables.sort(),
  )
})

t.test('the generated pages are what `npm run docs` writes', async (t) => {
  t.equal(readRepoFile('docs/configuration.md'), configurationPage())
  t.equal(readRepoFile('docs/metrics.md'), metricsPage())
})
