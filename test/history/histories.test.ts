import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { HistoryResult } from './pod-histories.ts'

type Counts = Omit<HistoryResult, 'wrong' | 'failed'> & { wrong: number; failed: number }

/** Each run has a process of its own, so that two use two cores. */
async function run(...args: string[]): Promise<{ counts: Counts; lines: string }> {
  const script = fileURLToPath(new URL('./run.ts', import.meta.url))
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let lines = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    lines += chunk
  })
  await once(child, 'close')
  const json = lines.split('\n').find((line) => line.startsWith('{'))
  if (json === undefined) throw new Error(`no result: ${lines}`)
  return { counts: JSON.parse(json), lines }
}

t.test(
  '100,000 pods live and die on addresses used again at once, and none is taken for another',
  async (t) => {
    const seeds = ['1', '2']
    const runs = await Promise.all(seeds.map((seed) => run('--pods', '50000', '--seed', seed)))
    for (const { counts, lines } of runs) {
      t.comment(JSON.stringify(counts))
      t.equal(counts.pods, 50_000)
      t.equal(counts.wrong, 0, lines)
      t.equal(counts.failed, 0, lines)
      t.ok(counts.answered > 10_000, 'enough requests were answered for the count to mean something')
    }
  },
)

t.test('with the default window, and with an API server that lags, wrong answers are counted', async (t) => {
  const [window, lag] = await Promise.all([
    run('--pods', '2000', '--seed', '3', '--confirm-within', '30s'),
    run('--pods', '2000', '--seed', '4', '--read-lag-ms', '100'),
  ])
  t.comment(`default window: ${JSON.stringify(window.counts)}`)
  t.comment(`API server 100 ms behind: ${JSON.stringify(lag.counts)}`)
  // No claim is made about their number: only proof by the kernel can close these windows.
  t.ok(window.counts.answered > 0 && lag.counts.answered > 0)
})

t.test(
  'proved by the kernel, none is taken for another, whatever the API server hears late or never',
  async (t) => {
    const lags = [[], ['--read-lag-ms', '100', '--confirm-within', '30s']]
    const runs = await Promise.all(
      lags.map((lag, i) => run('--proof', '--pods', '1500', '--seed', String(i + 1), ...lag)),
    )
    for (const { counts, lines } of runs) {
      t.comment(JSON.stringify(counts))
      t.equal(counts.wrong, 0, lines)
      t.equal(counts.failed, 0, lines)
      t.ok(counts.answered > 300, 'enough requests were answered for the count to mean something')
    }
  },
)
