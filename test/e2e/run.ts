import { inspect, parseArgs } from 'node:util'
import { cannotNamespace } from '../support/net-namespace.ts'
import { cgroupMount } from './bed/cgroup.ts'
import { runScenario } from './run-scenario.ts'
import { SCENARIOS } from './scenarios.ts'
import { type Row, table } from './table.ts'
import { verdict } from './verdict.ts'

// npm run test:e2e [-- --only NAME,…]: what pods see at the metadata addresses, in network namespaces made for it, while things
// happen to the node. Needs root, nft and ip. The last line is `N passed, N failed, N skipped` scenarios; the exit code is 0 only
// if every row is as it must be.

const { values: options } = parseArgs({ options: { only: { type: 'string' } } })
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort(new Error(signal)))
const say = (text: string) => process.stderr.write(`${text}\n`)

const cannot =
  cannotNamespace('nft', 'python3') || (cgroupMount() === undefined && 'no cgroup v2 hierarchy is mounted')
if (cannot) {
  say(`skip   end to end in network namespaces: ${cannot}`)
  process.stdout.write(`0 passed, 0 failed, ${SCENARIOS.length} skipped\n`)
  process.exit(0)
}

const names = options.only?.split(',') ?? SCENARIOS.map(({ name }) => name)
for (const name of names)
  if (!SCENARIOS.some((it) => it.name === name)) {
    say(`there is no ${name}, only ${SCENARIOS.map((it) => it.name).join(', ')}`)
    process.exit(2)
  }

async function rowOf(name: string): Promise<Row> {
  const startedAt = performance.now()
  const row = await runScenario(name, stop.signal).then(
    (finding) => ({ name, finding, error: undefined }),
    (err: unknown) => ({
      name,
      finding: undefined,
      error: err instanceof Error ? err.message : inspect(err),
    }),
  )
  const seconds = (performance.now() - startedAt) / 1_000
  say(`${name}: ${row.error === undefined ? 'done' : 'failed'} (${seconds.toFixed(0)} s)`)
  return { ...row, seconds }
}

const rows: Row[] = []
async function work(left: string[]): Promise<void> {
  for (let name = left.shift(); name !== undefined; name = left.shift()) rows.push(await rowOf(name))
}
const isAlone = (name: string) => SCENARIOS.find((it) => it.name === name)!.alone === true
await work(names.filter(isAlone))
// The others wait most of the time.
const rest = names.filter((name) => !isAlone(name))
await Promise.all([work(rest), work(rest)])

/** Did pods get what they must not get? That is never a matter of speed. */
const isUnsafe = ({ finding, name }: Row) =>
  finding !== undefined &&
  (finding.wrongIdentities > 0 ||
    (finding.packetsAtCloud > 0 && SCENARIOS.find((it) => it.name === name)!.control !== true))
// Clients run out of patience on a machine that is starved: what failed so is tried once more, alone.
for (const [i, row] of rows.entries()) {
  if (verdict(row).length === 0 || isUnsafe(row) || stop.signal.aborted) continue
  for (const complaint of verdict(row)) say(complaint)
  say(`${row.name} once more, alone`)
  rows[i] = await rowOf(row.name)
}
rows.sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name))

process.stdout.write(`${table(rows)}\n`)
const complaints = rows.flatMap(verdict)
for (const complaint of complaints) say(complaint)
const failed = rows.filter((row) => verdict(row).length > 0).length
process.stdout.write(`${rows.length - failed} passed, ${failed} failed, 0 skipped\n`)
process.exitCode = failed === 0 && !stop.signal.aborted ? 0 : 1
