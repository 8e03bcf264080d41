import { execFile } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import { parseArgs, promisify } from 'node:util'
import type { BenchContext } from './bench-context.ts'
import type { Finding } from './finding.ts'
import { findingsTable } from './findings-table.ts'
import { measureHerd } from './measure-herd.ts'
import { measureStart } from './measure-start.ts'
import { measureWarm } from './measure-warm.ts'

// npm run bench [-- --quick] [--output json] [--only start,warm,herd]: what the daemon's bundle costs and how fast it is, beside
// servers that do nothing but answer. Linux only, because it reads /proc. The exit code is 0 unless something did not run.

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    output: { type: 'string', default: 'text' },
    only: { type: 'string', default: 'warm,start,herd' },
  },
})
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error(signal)))
const context: BenchContext = {
  quick: options.quick,
  signal: stop.signal,
  say: (text) => process.stderr.write(`${text}\n`),
}

const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  node: process.version,
  loadAverage: loadavg()[0]!,
}
context.say(
  `building the bundle (${machine.cores} x ${machine.cpu}, Node ${machine.node}, load ${machine.loadAverage.toFixed(1)})`,
)
await promisify(execFile)(process.execPath, ['scripts/build.ts'])

const only = new Set(options.only.split(','))
const findings: Finding[] = []
if (only.has('warm')) findings.push(...(await measureWarm(context)))
if (only.has('start'))
  findings.push(...(await measureStart('small', context)), ...(await measureStart('big', context)))
if (only.has('herd')) findings.push(...(await measureHerd(context)))

process.stdout.write(
  options.output === 'json'
    ? `${JSON.stringify({ machine, findings }, undefined, 2)}\n`
    : findingsTable(findings),
)
