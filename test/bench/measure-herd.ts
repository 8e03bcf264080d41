import { setTimeout as sleep } from 'node:timers/promises'
import { adminPage } from './admin-page.ts'
import type { BenchContext } from './bench-context.ts'
import type { Finding } from './finding.ts'
import { runLoad } from './load/run-load.ts'
import { median } from './median.ts'
import { startDaemonProcess } from './servers/start-daemon.ts'
import { startWorld, type World } from './world/start-world.ts'
import { podAddress, WORLDS } from './world/world.ts'

const CLOUD_MS = 50
const HERD = 1_000
const TOKEN = '/computeMetadata/v1/instance/service-accounts/default/token'
const CALLS = ['create serviceaccounts/token', 'sts', 'generateAccessToken'] as const

interface Stampede {
  readonly calls: readonly number[]
  readonly errors: number
  readonly seconds: number
}

/** A thousand first requests of one pod at the same time, each on its own connection, to a daemon that has nothing yet. */
export async function measureHerd(context: BenchContext): Promise<Finding[]> {
  context.say(`${HERD} simultaneous first requests of one pod`)
  await using world = await startWorld(WORLDS.small, CLOUD_MS, context.signal)
  const herds: Stampede[] = []
  for (let i = 0; i < (context.quick ? 1 : 5); i++) {
    const herd = await stampede(world, context.signal)
    context.say(`  herd ${i + 1}: all answered after ${herd.seconds.toFixed(2)} s, ${herd.errors} errors`)
    herds.push(herd)
  }
  const finding = (
    what: string,
    unit: Finding['unit'],
    values: readonly number[],
    atMost: number,
  ): Finding => ({ what: `herd of ${HERD}: ${what}`, value: median(values), values, unit, goal: { atMost } })
  return [
    finding(
      'all answered',
      's',
      herds.map((herd) => herd.seconds),
      0.3,
    ),
    finding(
      'not answered with a token',
      'errors',
      herds.map((herd) => herd.errors),
      0,
    ),
    ...CALLS.map((call, i) =>
      finding(
        call,
        'calls',
        herds.map((herd) => herd.calls[i]!),
        1,
      ),
    ),
  ]
}

async function stampede(world: World, signal: AbortSignal): Promise<Stampede> {
  const flags = ['--credentials-prefetch', 'false', '--limits-connections-per-pod', String(HERD)]
  await using daemon = startDaemonProcess(world, flags, signal)
  while ((await adminPage(world.adminPort, '/readyz')) === undefined) await sleep(20, undefined, { signal })
  await world.forgetCalls()
  const result = await runLoad(
    {
      port: daemon.port,
      from: [podAddress(0)],
      connections: HERD,
      target: TOKEN,
      ms: 0,
      warmUpMs: 0,
      serverPid: daemon.pid,
    },
    signal,
  )
  const calls = await world.calls()
  return {
    calls: CALLS.map((call) => calls[call] ?? 0),
    errors: HERD - result.answers,
    seconds: result.seconds,
  }
}
