import { setTimeout as sleep } from 'node:timers/promises'
import { ask } from '../support/ask.ts'
import { adminPage, sampleSum } from './admin-page.ts'
import type { BenchContext } from './bench-context.ts'
import { type Finding, finding, type Unit } from './finding.ts'
import { processUsage } from './process-usage.ts'
import { startDaemonProcess } from './servers/start-daemon.ts'
import type { ServerProcess } from './servers/start-server.ts'
import { startWorld, type World } from './world/start-world.ts'
import { podAddress, WORLDS } from './world/world.ts'

/** What a call of the cloud costs. */
const CLOUD_MS = 50
/** After so long without work the garbage of the start has been collected as far as it will be. */
const SETTLE_MS = 3_000
const TOKEN = '/computeMetadata/v1/instance/service-accounts/default/token'

const GOALS = {
  small: { firstTokenSeconds: 0.5, rssMiB: 75, prefetchedSeconds: undefined },
  big: { firstTokenSeconds: 1, rssMiB: 90, prefetchedSeconds: 3 },
} as const

interface Start {
  readonly firstTokenSeconds: number
  readonly prefetchedSeconds: number
  readonly rssMiB: number
  readonly peakMiB: number
}

/** From the start of the process to the first token, and to everybody's; and what memory the daemon has then. */
export async function measureStart(name: keyof typeof GOALS, context: BenchContext): Promise<Finding[]> {
  const size = WORLDS[name]
  context.say(
    `${name} cluster: ${size.nodePods} pods on the node, ${size.pods} pods, ${size.serviceAccounts} ServiceAccounts`,
  )
  await using world = await startWorld(size, CLOUD_MS, context.signal)
  const starts: Start[] = []
  for (let i = 0; i < (context.quick ? 1 : 5); i++) {
    const start = await startOnce(world, context.signal)
    context.say(
      `  start ${i + 1}: first token after ${start.firstTokenSeconds.toFixed(2)} s, all after ${start.prefetchedSeconds.toFixed(2)} s, ${start.rssMiB.toFixed(1)} MiB`,
    )
    starts.push(start)
  }
  const goals = GOALS[name]
  const of = (what: string, key: keyof Start, unit: Unit, atMost?: number) =>
    finding(
      `${what}, ${name} cluster`,
      unit,
      starts.map((start) => start[key]),
      atMost === undefined ? undefined : { atMost },
    )
  return [
    of('start to first token', 'firstTokenSeconds', 's', goals.firstTokenSeconds),
    of(`start to all ${size.nodePods} pods' tokens`, 'prefetchedSeconds', 's', goals.prefetchedSeconds),
    of('resident memory, idle', 'rssMiB', 'MiB', goals.rssMiB),
    of('resident memory, peak', 'peakMiB', 'MiB'),
  ]
}

async function startOnce(world: World, signal: AbortSignal): Promise<Start> {
  await world.forgetCalls()
  const allAsked = world.received('generateAccessToken', world.size.nodePods)
  await using daemon = await startDaemonProcess(world, [], signal)
  const firstTokenSeconds = await firstToken(daemon, signal)
  await allAsked
  const prefetchedSeconds = await allObtained(world, daemon, signal)
  await sleep(SETTLE_MS, undefined, { signal })
  return { firstTokenSeconds, prefetchedSeconds, ...processUsage(daemon.pid) }
}

/** As a pod's SDK does it, only less patient: it asks again as soon as it may. */
async function firstToken(daemon: ServerProcess, signal: AbortSignal): Promise<number> {
  for (;;) {
    const status = await ask(`127.0.0.1:${daemon.port}`, TOKEN, { ip: podAddress(0) }).then(
      (answer) => answer.status,
      () => undefined,
    )
    if (status === 200) return secondsSince(daemon.startedAt)
    await sleep(5, undefined, { signal })
  }
}

async function allObtained(world: World, daemon: ServerProcess, signal: AbortSignal): Promise<number> {
  for (;;) {
    const page = await adminPage(world.adminPort, '/metrics')
    const obtained = sampleSum(
      page ?? '',
      'metadatad_credentials_obtained_total',
      'kind="google-access-token"',
      'outcome="ok"',
    )
    if (obtained >= world.size.nodePods) return secondsSince(daemon.startedAt)
    await sleep(10, undefined, { signal })
  }
}

function secondsSince(at: number): number {
  return (performance.now() - at) / 1_000
}
