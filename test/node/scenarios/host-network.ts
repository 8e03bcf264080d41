import assert from 'node:assert/strict'
import { RAW_ANSWER } from '../../e2e/bed/addresses.ts'
import { runToEnd } from '../pods/run-to-end.ts'
import type { Scenario } from '../scenario.ts'

const ASK = [
  ...['curl', '--silent', '--max-time', '3', '--output', '/dev/termination-log'],
  ...['--retry', '2', '--retry-all-errors', '--retry-delay', '0'],
  'http://169.254.169.254/computeMetadata/v1/instance/attributes/',
]

/** What is on the node's own network keeps the node's own metadata server, which no other pod reaches. */
export const hostNetwork: Scenario = {
  name: 'host-network',
  async run(world) {
    const before = await world.raw.counts()
    const answers = await Promise.all(
      world.nodes.flatMap(({ name: node }) =>
        [true, false].map(async (isHost) => {
          const name = `${isHost ? 'host' : 'other'}-${node}`
          const { message } = await runToEnd(world, {
            name,
            node,
            command: ASK,
            spec: { hostNetwork: isHost },
          })
          return { isHost, isRaw: message === RAW_ANSWER }
        }),
      ),
    )
    const after = await world.raw.counts()
    assert.ok(after.nodes > before.nodes)
    return {
      operations: answers.length,
      failures: answers.filter(({ isHost, isRaw }) => isHost !== isRaw).length,
      wrongIdentities: 0,
      note: `pods; ${after.nodes - before.nodes} packets of nodes came to the real metadata server, and none of other pods`,
    }
  },
}
