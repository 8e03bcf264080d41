import assert from 'node:assert/strict'
import { RAW_ANSWER } from '../bed/addresses.ts'
import type { Dial } from '../client/dial.ts'
import { dialFrom } from '../client/dial-from.ts'
import { ANSWERED, FORBIDDEN } from '../dials.ts'
import { expectSilence } from '../expect-silence.ts'
import type { Scenario } from '../scenario.ts'

const RESOLVER = '169.254.169.254'
const TIME_SERVER = '168.63.129.16'

/** The node's resolver and time server are at metadata addresses: the operator lets pods reach those, and nothing else. */
export const allowed: Scenario = {
  name: 'allowed',
  async run(world) {
    const daemon = await world.startDaemon('--intercept-allow', `${RESOLVER}:53,${TIME_SERVER}:123`)
    await daemon.ready()
    const open = FORBIDDEN.filter(isAllowed)
    const closed = FORBIDDEN.filter((dial) => !isAllowed(dial))
    const failures = await Promise.all(
      world.pods.map(async (pod) => {
        const raw = await dialFrom(pod, open)
        const own = await dialFrom(pod, ANSWERED)
        await expectSilence(pod, closed)
        return [
          ...raw.filter(({ outcome, text }) => outcome !== 'answered' || !text.includes(RAW_ANSWER)),
          ...own.filter(({ outcome, text }) => outcome !== 'answered' || text.includes(RAW_ANSWER)),
        ].length
      }),
    )
    const { pods: packetsAtCloud, podsDnsNtp } = await world.cloud.counts()
    assert.ok(podsDnsNtp > 0)
    return {
      requests: world.pods.length * (FORBIDDEN.length + ANSWERED.length),
      failures: failures.reduce((sum, count) => sum + count, 0),
      packetsAtCloud,
      wrongIdentities: 0,
      note: `the node's resolver and time server are reached (${podsDnsNtp} packets, apart from the column), everything else at their addresses is dropped`,
    }
  },
}

function isAllowed({ host, port, protocol }: Dial): boolean {
  return (host === RESOLVER && port === 53) || (host === TIME_SERVER && port === 123 && protocol === 'udp')
}
