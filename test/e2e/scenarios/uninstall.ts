import assert from 'node:assert/strict'
import { RAW_ANSWER } from '../bed/addresses.ts'
import { dialFrom } from '../client/dial-from.ts'
import { startLoad, usualGroups } from '../client/start-load.ts'
import { ANSWERED, FORBIDDEN, isRedirectTarget } from '../dials.ts'
import { expectSilence } from '../expect-silence.ts'
import { IPV4_ORIGIN } from '../origins.ts'
import type { Scenario } from '../scenario.ts'
import { endLoads } from '../tally.ts'

/** The daemon is taken away; the rules stay until somebody removes them. */
export const uninstall: Scenario = {
  name: 'uninstall',
  async run(world) {
    const daemon = await world.startDaemon('--listen-drain', '1s')
    await daemon.ready()
    const loads = world.pods.map((pod) => startLoad(pod, usualGroups(IPV4_ORIGIN)))
    await Promise.all(loads.map(({ answered }) => answered))
    const seen = await endLoads(world, loads)
    daemon.signal('SIGTERM')
    await daemon.ended()
    const all = [...ANSWERED, ...FORBIDDEN]
    await Promise.all(world.pods.map((pod) => expectSilence(pod, all)))
    const packetsAtCloud = await world.packetsAtCloud()

    await world.intercept('remove')
    const dials = all.filter((dial) => !isRedirectTarget(dial))
    for (const pod of world.pods)
      for (const { host, port, outcome, text } of await dialFrom(pod, dials))
        assert.ok(outcome === 'answered' && text.includes(RAW_ANSWER), `${host} ${port}: ${outcome}`)
    return {
      requests: seen.requests,
      failures: seen.failures,
      packetsAtCloud,
      wrongIdentities: seen.wrongIdentities,
      note: `failures: ${seen.text}; daemon stopped: all ${world.pods.length * all.length} dials dropped, not refused; after \`intercept remove\` pods reach the raw server, as on a node without metadatad`,
    }
  },
}
