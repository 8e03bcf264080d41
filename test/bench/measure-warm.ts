import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchContext } from './bench-context.ts'
import { type Finding, finding } from './finding.ts'
import type { LoadResult } from './load/load.ts'
import { runLoad } from './load/run-load.ts'
import { processUsage } from './process-usage.ts'
import { type Contestant, type Contestants, startContestants } from './servers/start-contestants.ts'

const MANY = 32
/** Short and many, because the machine changes its pace: what is compared has to be close in time. */
const ROUNDS = { 1: 5, [MANY]: 12 }
const ROUND_MS = 1_000
const SETTLE_MS = 3_000

/** Answers per CPU second and their times, of the daemon and of servers that do nothing but answer, side by side. */
export async function measureWarm(context: BenchContext): Promise<Finding[]> {
  context.say('warm credentials, beside servers that do nothing but answer')
  await using contestants = await startContestants(context)
  const all = [...contestants.ours, ...contestants.bare]
  for (const contestant of all) await run(contestant, MANY, 3_000, context)
  const one = await rounds(contestants, 1, context)
  const many = await rounds(contestants, MANY, context)
  await sleep(SETTLE_MS, undefined, { signal: context.signal })
  const { rssMiB } = processUsage(contestants.daemon.pid)
  return [
    ...contestants.ours.flatMap((ours) =>
      contestants.bare.map((bare, i) => ratio(ours, bare, many, i === 0 ? ours.goal : undefined)),
    ),
    ...all.flatMap((contestant) => [
      ...figures(`${contestant.name}, ${MANY} connections`, many.get(contestant)!),
      ...figures(`${contestant.name}, 1 connection`, one.get(contestant)!),
    ]),
    finding('resident memory, after this load', 'MiB', [rssMiB]),
  ]
}

type Results = ReadonlyMap<Contestant, readonly LoadResult[]>

async function rounds(
  contestants: Contestants,
  connections: 1 | typeof MANY,
  context: BenchContext,
): Promise<Results> {
  const all = [...contestants.ours, ...contestants.bare]
  const results = new Map(all.map((contestant) => [contestant, [] as LoadResult[]]))
  const count = context.quick ? 2 : ROUNDS[connections]!
  for (let round = 0; round < count; round++) {
    const told: string[] = []
    for (let i = 0; i < all.length; i++) {
      // Each is first in turn.
      const contestant = all[(round + i) % all.length]!
      const result = await run(contestant, connections, ROUND_MS, context)
      results.get(contestant)!.push(result)
      told.push(`${contestant.name} ${perCpuSecond(result).toFixed(0)}`)
    }
    context.say(
      `  ${connections} connections, round ${round + 1} of ${count}, answers per CPU second: ${told.join(', ')}`,
    )
  }
  return results
}

async function run(
  { name, server, from }: Contestant,
  connections: number,
  ms: number,
  { signal }: BenchContext,
): Promise<LoadResult> {
  const load = { port: server.port, from, connections, ms, warmUpMs: 150, serverPid: server.pid }
  const result = await runLoad(load, signal)
  if (Object.keys(result.failures).length > 0)
    throw new Error(`${name} failed: ${JSON.stringify(result.failures)}`)
  return result
}

function ratio(ours: Contestant, bare: Contestant, results: Results, atLeast: number | undefined): Finding {
  const base = results.get(bare)!
  const ratios = results.get(ours)!.map((result, i) => perCpuSecond(result) / perCpuSecond(base[i]!))
  return finding(
    `${ours.name} / ${bare.name}, ${MANY} connections`,
    'x',
    ratios,
    atLeast === undefined ? undefined : { atLeast },
  )
}

function figures(who: string, results: readonly LoadResult[]): Finding[] {
  return [
    finding(`${who}: answers`, 'per CPU-s', results.map(perCpuSecond)),
    finding(
      `${who}: p50`,
      'ms',
      results.map(({ p50 }) => p50),
    ),
    finding(
      `${who}: p99`,
      'ms',
      results.map(({ p99 }) => p99),
    ),
  ]
}

function perCpuSecond({ answers, serverCpuSeconds }: LoadResult): number {
  return answers / serverCpuSeconds
}
