import { execFile } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import { inspect, parseArgs, promisify } from 'node:util'
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
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort(new Error(signal)))
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

const measurements: Readonly<Record<string, () => Promise<Finding[]>>> = {
  warm: () => measureWarm(context),
  start: async () => [...(await measureStart('small', context)), ...(await measureStart('big', context))],
  herd: () => measureHerd(context),
}
const findings: Finding[] = []
try {
  for (const name of options.only.split(',')) {
    const measure = measurements[name]
    if (measure === undefined)
      throw new Error(`there is no ${name}, only ${Object.keys(measurements).join(', ')}`)
    findings.push(...(await measure()))
  }
} catch (err) {
  context.say(stop.signal.aborted ? 'interrupted' : inspect(err))
  process.exitCode = 1
}

if (findings.length > 0)
  process.stdout.write(
    options.output === 'json'
      ? `${JSON.stringify({ machine, findings }, undefined, 2)}\n`
      : findingsTable(findings),
  )
