import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { startLoad, usualGroups } from './client/start-load.ts'
import type { DaemonProcess } from './daemon-process.ts'
import { ANSWERED } from './dials.ts'
import { expectSilence } from './expect-silence.ts'
import { IPV4_ORIGIN, IPV6_ORIGIN } from './origins.ts'
import { endLoads, type Tally } from './tally.ts'
import type { World } from './world.ts'

const GONE_MS = 1_500
/** Clients that ride it out: SDKs try again where these wait. */
const PATIENT_MS = 40_000

/** What pods saw of a crash. */
export interface Crash {
  /** The daemon that was started afterwards. */
  readonly next: DaemonProcess
  readonly seen: Tally
  /** Those of connections that were open when it died, which can't but break, are not counted. */
  readonly failures: number
  readonly note: string
}

/** Kills a daemon under load from every pod, and starts another 1.5 s later. @throws Error if a dial meanwhile is refused */
export async function crash(
  world: World,
  daemon: DaemonProcess,
  ...flags: readonly string[]
): Promise<Crash> {
  const loads = world.pods.map((pod, i) =>
    startLoad(pod, usualGroups(i % 2 === 0 ? IPV4_ORIGIN : IPV6_ORIGIN), PATIENT_MS),
  )
  await Promise.all(loads.map(({ answered }) => answered))
  daemon.signal('SIGKILL')
  await daemon.ended()
  const [dropped] = await Promise.all([
    expectSilence(world.pods[0], ANSWERED, GONE_MS - 300),
    setTimeout(GONE_MS),
  ])
  const next = await world.startDaemon(...flags)
  await next.ready()
  await setTimeout(6_000)
  const seen = await endLoads(world, loads)
  const broken = seen.reset + seen.keptReset
  const open = loads.length * 4
  assert.ok(broken <= open, `${broken} connections were broken, of ${open} that could be open`)
  return {
    next,
    seen,
    failures: seen.failures - broken,
    note: `killed, started ${GONE_MS} ms later; ${broken} open connections died with it; failures with them: ${seen.text}; ${dropped} dials meanwhile dropped, not refused; slowest answer ${seen.slowestMs} ms`,
  }
}
