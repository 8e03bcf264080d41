import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type Counts, TapSummary } from './tap-summary.ts'

// npm run test [-- FILE…]: types, lint and formatting, then the tests (all of .taprc and the suites of scenarios, or the
// files named). The last line is `N passed, N failed, N skipped`; the exit code is 0 only if nothing failed.

/** Of about 180 files. */
const MAX_AGAIN = 4

const say = (line: string) => process.stdout.write(`${line}\n`)

/** Runs a program that is quiet when all is well; counts as one test. */
async function check(name: string, command: string, ...args: string[]): Promise<Counts> {
  const started = performance.now()
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const [code] = await once(child, 'exit')
  say(`${code === 0 ? 'ok    ' : 'not ok'} ${name} (${((performance.now() - started) / 1_000).toFixed(1)} s)`)
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 }
}

async function tap(...args: string[]): Promise<TapSummary> {
  const summary = new TapSummary(say)
  const child = spawn('tap', ['--reporter=tap', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  for await (const line of createInterface({ input: child.stdout })) summary.line(line)
  const [code] = await exited
  summary.end(code)
  return summary
}

/**
 * Real SDKs and thousands of connections run out of their own patience on a machine that is starved: a few files that
 * failed are run once more, one at a time, and what they come to then counts. Many are no accident.
 */
async function tests(...files: string[]): Promise<Counts> {
  const { counts, failedFiles } = await tap(...files)
  if (failedFiles.length === 0 || failedFiles.length > MAX_AGAIN) return counts
  say(`once more, alone: ${failedFiles.join(' ')}`)
  const { failed } = (await tap('--jobs=1', ...failedFiles)).counts
  return { ...counts, failed, passed: counts.passed + Math.max(0, counts.failed - failed) }
}

/** Suites of scenarios come after the tests, and one after the other: what they show depends on how fast their daemons are. */
const SUITES = ['test/e2e/run.ts', 'test/cluster/run.ts', 'test/node/run.ts']

async function scenarios(program: string): Promise<Counts> {
  const child = spawn('node', [program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  let counts: Counts = { passed: 0, failed: 1, skipped: 0 }
  for await (const line of createInterface({ input: child.stdout })) {
    const closing = /^(\d+) passed, (\d+) failed, (\d+) skipped$/.exec(line)
    if (closing === null) say(line)
    else counts = { passed: Number(closing[1]), failed: Number(closing[2]), skipped: Number(closing[3]) }
  }
  const [code] = await exited
  return code === 0 ? counts : { ...counts, failed: Math.max(1, counts.failed) }
}

const files = process.argv.slice(2)
const results = [
  await check('types', 'tsc', '-p', '.'),
  await check('lint', 'biome', 'ci', '--error-on-warnings', '--diagnostic-level=warn', '--colors=off'),
  await tests(...files),
]
if (files.length === 0) for (const suite of SUITES) results.push(await scenarios(suite))
const sum = (count: keyof Counts) => results.reduce((total, counts) => total + counts[count], 0)
say(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`)
process.exitCode = sum('failed') === 0 ? 0 : 1
