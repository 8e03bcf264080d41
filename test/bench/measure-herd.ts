import { setTimeout as sleep } from 'node:timers/promises'
import { adminPage } from './admin-page.ts'
import type { BenchContext } from './bench-context.ts'
import { type Finding, finding, type Goal, type Unit } from './finding.ts'
import type { LoadResult } from './load/load.ts'
import { runLoad } from './load/run-load.ts'
import { startBareNode } from './servers/start-bare-node.ts'
import { startDaemonProcess } from './servers/start-daemon.ts'
import { listening, type ServerProcess } from './servers/start-server.ts'
import { startWorld, type World } from './world/start-world.ts'
import { podAddress, WORLDS } from './world/world.ts'

const CLOUD_MS = 50
const HERD = 1_000
const TOKEN = '/computeMetadata/v1/instance/service-accounts/default/token'
const CALLS = ['create serviceaccounts/token', 'sts', 'generateAccessToken'] as const

interface Herd {
  readonly seconds: number
  readonly errors: number
  /** How often each of `CALLS` was received. */
  readonly calls: readonly number[]
  /** The same of a bare node:http server, which has nothing to wait for. */
  readonly bareSeconds: number
}

/**
 * A thousand first requests of one pod at the same time, each on its own connection, to a daemon that has just started
 * and has nothing yet. Time counts from the first connection being opened.
 */
export async function measureHerd(context: BenchContext): Promise<Finding[]> {
  context.say(`${HERD} simultaneous first requests of one pod`)
  await using world = await startWorld(WORLDS.small, CLOUD_MS, context.signal)
  const herds: Herd[] = []
  for (let i = 0; i < (context.quick ? 1 : 5); i++) {
    const herd = await herdOnce(world, context.signal)
    context.say(`  herd ${i + 1}: all answered after ${herd.seconds.toFixed(2)} s, ${herd.errors} errors`)
    herds.push(herd)
  }
  const of = (what: string, unit: Unit, value: (herd: Herd) => number, goal?: Goal) =>
    finding(`herd of ${HERD}: ${what}`, unit, herds.map(value), goal)
  return [
    of('all answered', 's', (herd) => herd.seconds, { atMost: 0.3 }),
    of('all answered, by a bare node:http', 's', (herd) => herd.bareSeconds),
    of('not answered with a token', 'errors', (herd) => herd.errors, { atMost: 0 }),
    ...CALLS.map((call, i) => of(call, 'calls', (herd) => herd.calls[i]!, { atMost: 1 })),
  ]
}

async function herdOnce(world: World, signal: AbortSignal): Promise<Herd> {
  await using bare = await startBareNode('{}', signal)
  await listening(bare, signal)
  const { seconds: bareSeconds } = await stampede(bare, signal)

  await using daemon = await startDaemonProcess(world, ['--credentials-prefetch', 'false'], signal)
  while ((await adminPage(world.adminPort, '/readyz')) === undefined) await sleep(20, undefined, { signal })
  await world.forgetCalls()
  const { answers, seconds } = await stampede(daemon, signal)
  const calls = await world.calls()
  return { seconds, errors: HERD - answers, calls: CALLS.map((call) => calls[call] ?? 0), bareSeconds }
}

function stampede({ port, pid }: ServerProcess, signal: AbortSignal): Promise<LoadResult> {
  const load = {
    port,
    from: [{ address: podAddress(0), target: TOKEN, headers: { 'Metadata-Flavor': 'Google' } }],
    connections: HERD,
    ms: 0,
    warmUpMs: 0,
    serverPid: pid,
  }
  return runLoad(load, signal)
}
