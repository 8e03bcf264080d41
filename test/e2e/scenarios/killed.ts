import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { startLoad, usualGroups } from '../client/start-load.ts'
import { ANSWERED } from '../dials.ts'
import { expectSilence } from '../expect-silence.ts'
import { IPV4_ORIGIN, IPV6_ORIGIN } from '../origins.ts'
import type { Scenario } from '../scenario.ts'
import { endLoads } from '../tally.ts'

const GONE_MS = 1_500
/** Clients that ride it out: SDKs try again where these wait. */
const PATIENT_MS = 15_000

/** The daemon is killed under load, and started again 1.5 s later. */
export const killed: Scenario = {
  name: 'kill-9',
  async run(world) {
    const daemon = await world.startDaemon()
    await daemon.ready()
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
    const next = await world.startDaemon()
    await next.ready()
    await setTimeout(6_000)
    const seen = await endLoads(world, loads)
    // Connections that were open when it died are broken; no more of them than there were.
    const broken = seen.reset + seen.keptReset
    const open = loads.length * 4
    assert.ok(broken <= open, `${broken} connections were broken, of ${open} that could be open`)
    return {
      requests: seen.requests,
      failures: seen.failures - broken,
      packetsAtCloud: await world.packetsAtCloud(),
      wrongIdentities: seen.wrongIdentities,
      note: `killed, started ${GONE_MS} ms later; ${broken} open connections died with it; other failures: ${seen.text}; ${dropped} dials meanwhile dropped, not refused; slowest answer ${seen.slowestMs} ms`,
    }
  },
}
