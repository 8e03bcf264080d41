import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import type { Counts, HistoryResult } from './pod-histories.ts'

type Result = Omit<HistoryResult, 'wrong' | 'failed'> & { wrong: number; failed: number }

/** Enough requests were answered for the counts of wrong ones to mean something. */
function wereAnswered(t: Test, { answered }: Result, least: Counts): void {
  for (const cloud of ['google', 'aws', 'azure'] as const)
    t.ok(answered[cloud] >= least[cloud], `${answered[cloud]} requests of ${cloud} were answered`)
}

/** Each run has a process of its own, so that two use two cores. It goes on until enough requests were answered. */
async function run(least: Counts, ...args: string[]): Promise<{ counts: Result; lines: string }> {
  const script = fileURLToPath(new URL('./run.ts', import.meta.url))
  const answered = `${least.google},${least.aws},${least.azure}`
  const child = spawn(process.execPath, [script, '--answered', answered, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let lines = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    lines += chunk
  })
  const [code] = await once(child, 'close')
  const json = lines.split('\n').find((line) => line.startsWith('{'))
  if (json === undefined) throw new Error(`no result: ${lines}`)
  const counts: Result = JSON.parse(json)
  // It could not even stop as it should.
  if (code !== (counts.wrong + counts.failed > 0 ? 1 : 0)) throw new Error(`exit code ${code}: ${lines}`)
  return { counts, lines }
}

t.test(
  '100,000 pods live and die on addresses used again at once, and none is taken for another',
  async (t) => {
    const least = { google: 7_000, aws: 1_500, azure: 1_000 }
    const seeds = ['1', '2']
    const runs = await Promise.all(seeds.map((seed) => run(least, '--pods', '50000', '--seed', seed)))
    for (const { counts, lines } of runs) {
      t.comment(JSON.stringify(counts))
      t.ok(counts.pods >= 50_000)
      t.equal(counts.wrong, 0, lines)
      t.equal(counts.failed, 0, lines)
      wereAnswered(t, counts, least)
    }
  },
)

t.test('with the default window, and with an API server that lags, wrong answers are counted', async (t) => {
  const least = { google: 1, aws: 1, azure: 1 }
  const [window, lag] = await Promise.all([
    run(least, '--pods', '2000', '--seed', '3', '--confirm-within', '30s'),
    run(least, '--pods', '2000', '--seed', '4', '--read-lag-ms', '100'),
  ])
  t.comment(`default window: ${JSON.stringify(window.counts)}`)
  t.comment(`API server 100 ms behind: ${JSON.stringify(lag.counts)}`)
  // No claim is made about their number: only proof by the kernel can close these windows.
  for (const { counts } of [window, lag]) wereAnswered(t, counts, least)
})

t.test(
  'proved by the kernel, none is taken for another, whatever the API server hears late or never',
  async (t) => {
    const least = { google: 100, aws: 10, azure: 5 }
    const lags = [[], ['--read-lag-ms', '100', '--confirm-within', '30s']]
    const runs = await Promise.all(
      lags.map((lag, i) => run(least, '--proof', '--pods', '1500', '--seed', String(i + 1), ...lag)),
    )
    for (const { counts, lines } of runs) {
      t.comment(JSON.stringify(counts))
      t.equal(counts.wrong, 0, lines)
      t.equal(counts.failed, 0, lines)
      wereAnswered(t, counts, least)
    }
  },
)
