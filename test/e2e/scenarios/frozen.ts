import { setTimeout } from 'node:timers/promises'
import { startLoad, usualGroups } from '../client/start-load.ts'
import { ANSWERED } from '../dials.ts'
import { expectSilence } from '../expect-silence.ts'
import { IPV4_ORIGIN, IPV6_ORIGIN } from '../origins.ts'
import type { Scenario } from '../scenario.ts'
import { endLoads } from '../tally.ts'

const FROZEN_MS = 11_000
/** Longer than it stands still on a slow machine, where that is more than FROZEN_MS. */
const PATIENT_MS = 40_000

/** The daemon stands still under load: the kernel must notice by itself, and drop what nobody would answer. */
export const frozen: Scenario = {
  name: 'frozen',
  alone: true,
  async run(world) {
    const daemon = await world.startDaemon()
    await daemon.ready()
    const loads = world.pods.map((pod, i) =>
      startLoad(pod, usualGroups(i % 2 === 0 ? IPV4_ORIGIN : IPV6_ORIGIN), PATIENT_MS),
    )
    await Promise.all(loads.map(({ answered }) => answered))
    const stoppingAt = Date.now()
    daemon.signal('SIGSTOP')
    const stoppedAt = Date.now()
    const [, dropped] = await Promise.all([
      setTimeout(FROZEN_MS),
      // Nothing is answered at once by a process that stands still; from 8 s on it is the rules that say so.
      setTimeout(8_500).then(() => expectSilence(world.pods[1], ANSWERED, 1_500)),
    ])
    daemon.signal('SIGCONT')
    await setTimeout(6_000)
    const seen = await endLoads(world, loads)
    // For requests that were being held when it stopped, the time to answer is over when it goes on.
    const held = seen.failed.filter(({ at, until }) => at <= stoppedAt && until >= stoppingAt).length
    return {
      requests: seen.requests,
      failures: seen.failures - held,
      packetsAtCloud: await world.packetsAtCloud(),
      wrongIdentities: seen.wrongIdentities,
      note: `stopped for ${FROZEN_MS} ms; ${held} requests that were under way just then were told to try again; failures with them: ${seen.text}; ${dropped} dials meanwhile not refused; slowest answer ${seen.slowestMs} ms`,
    }
  },
}
