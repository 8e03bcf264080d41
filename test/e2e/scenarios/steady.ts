import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { RAW_ANSWER } from '../bed/addresses.ts'
import { runHere } from '../bed/run-here.ts'
import { dialFrom } from '../client/dial-from.ts'
import type { LoadGroup } from '../client/load.ts'
import { startLoad, usualGroups } from '../client/start-load.ts'
import { ANSWERED, FORBIDDEN, isRedirectTarget } from '../dials.ts'
import { expectSilence } from '../expect-silence.ts'
import { EC2_IPV6_ORIGIN, IPV4_ORIGIN, IPV6_ORIGIN } from '../origins.ts'
import type { Scenario } from '../scenario.ts'
import { endLoads } from '../tally.ts'

const LOAD_MS = 4_000
const OTHER_CLOUDS: readonly LoadGroup[] = [
  { cloud: 'aws', connections: 'new', workers: 1, pauseMs: 40, origin: IPV4_ORIGIN },
  { cloud: 'aws', connections: 'kept-alive', workers: 1, pauseMs: 40, origin: EC2_IPV6_ORIGIN },
  { cloud: 'azure', connections: 'kept-alive', workers: 1, pauseMs: 40, origin: IPV4_ORIGIN },
]

/** Nothing happens: pods get their own identity, nothing else answers them, and the node's own processes notice nothing. */
export const steady: Scenario = {
  name: 'steady',
  async run(world) {
    const { pods, cloud } = world
    const daemon = await world.startDaemon()
    await daemon.ready()
    const loads = pods.map((pod) =>
      startLoad(pod, [...usualGroups(IPV4_ORIGIN), ...usualGroups(IPV6_ORIGIN), ...OTHER_CLOUDS]),
    )
    await Promise.all(loads.map(({ answered }) => answered))
    await setTimeout(LOAD_MS)
    const seen = await endLoads(world, loads)

    const silent = await Promise.all(
      pods.map(async (pod) => {
        for (const { host, outcome, text } of await dialFrom(pod, ANSWERED)) {
          assert.equal(outcome, 'answered', host)
          assert.ok(!text.includes(RAW_ANSWER), host)
        }
        return expectSilence(pod, FORBIDDEN)
      }),
    )
    const packetsAtCloud = await world.packetsAtCloud()

    const before = (await cloud.counts()).host
    const dials = [...ANSWERED, ...FORBIDDEN].filter((dial) => !isRedirectTarget(dial))
    for (const { protocol, host, port, outcome, text } of await dialFrom({ run: runHere }, dials))
      assert.ok(
        outcome === 'answered' && text.includes(RAW_ANSWER),
        `${protocol} ${host} ${port}: ${outcome}`,
      )
    assert.ok((await cloud.counts()).host > before)

    return {
      requests: seen.requests,
      failures: seen.failures,
      packetsAtCloud,
      wrongIdentities: seen.wrongIdentities,
      note: `4 pods (routed, bridged; three clouds; IPv4, IPv6; new and kept-alive connections), failures: ${seen.text}; ${silent.reduce((sum, count) => sum + count)} dials of other ports and addresses dropped, not refused; host processes reach the raw server at all of them`,
    }
  },
}
