import assert from 'node:assert/strict'
import { RAW_ANSWER } from '../bed/addresses.ts'
import { dialFrom } from '../client/dial-from.ts'
import { ANSWERED, FORBIDDEN, isRedirectTarget } from '../dials.ts'
import type { Scenario } from '../scenario.ts'

/** With nothing installed, pods of this test bed do reach the raw metadata server: so 0 elsewhere means something. */
export const control: Scenario = {
  name: 'control',
  control: true,
  async run({ pods, cloud }) {
    const dials = [...ANSWERED, ...FORBIDDEN].filter((dial) => !isRedirectTarget(dial))
    for (const pod of pods) {
      for (const { host, port, protocol, outcome, text } of await dialFrom(pod, dials)) {
        assert.equal(outcome, 'answered', `${pod.spec.name} ${protocol} ${host} ${port}`)
        assert.ok(text.includes(RAW_ANSWER))
      }
    }
    const counts = await cloud.counts()
    return {
      requests: pods.length * dials.length,
      failures: 0,
      packetsAtCloud: counts.pods + counts.podsDnsNtp,
      wrongIdentities: 0,
      note: 'nothing installed: every pod gets the raw answer at every address and port, as it must where 0 is to mean something',
    }
  },
}
