import { setTimeout } from 'node:timers/promises'
import { type RunningLoad, startLoad, usualGroups } from '../client/start-load.ts'
import { FORBIDDEN } from '../dials.ts'
import { expectSilence } from '../expect-silence.ts'
import { IPV4_ORIGIN, IPV6_ORIGIN } from '../origins.ts'
import type { Scenario } from '../scenario.ts'
import { endLoads } from '../tally.ts'

const LATER_MS = 10_000
/** A SYN is sent again after 1, 2, 3, 4, 5, 7, 11, 19 s here: this outlasts the one that is answered. */
const PATIENT_MS = 40_000

/** A node boots: the rules are there before the kubelet starts pods, the daemon comes 10 s later. */
export const bootOrder: Scenario = {
  name: 'boot-order',
  async run(world) {
    await world.intercept('install')
    const loads: RunningLoad[] = world.pods.map((pod, i) =>
      startLoad(pod, usualGroups(i % 2 === 0 ? IPV4_ORIGIN : IPV6_ORIGIN), PATIENT_MS),
    )
    const [dropped] = await Promise.all([expectSilence(world.pods[2], FORBIDDEN), setTimeout(LATER_MS)])
    const daemon = await world.startDaemon()
    await daemon.ready()
    await Promise.all(loads.map(({ answered }) => answered))
    const seen = await endLoads(world, loads)
    return {
      requests: seen.requests,
      failures: seen.failures,
      packetsAtCloud: await world.packetsAtCloud(),
      wrongIdentities: seen.wrongIdentities,
      note: `rules, pods, and the daemon ${LATER_MS / 1_000} s later; failures: ${seen.text}; first requests succeed, the slowest after ${seen.slowestMs} ms; ${dropped} dials meanwhile dropped`,
    }
  },
}
