import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { REDIRECT_IPV4, REDIRECT_IPV6 } from '../../../src/intercept/capture.ts'
import { run } from '../bed/run.ts'
import { startLoad, usualGroups } from '../client/start-load.ts'
import { type InPlace, whatIsInPlace } from '../in-place.ts'
import { IPV4_ORIGIN, IPV6_ORIGIN } from '../origins.ts'
import { reversePathInstalled } from '../reverse-path-installed.ts'
import type { Scenario } from '../scenario.ts'
import { endLoads } from '../tally.ts'

/** Ten seconds, where looking takes no time. */
const MAX_LOOKS = 100
const PATIENT_MS = 40_000

/** Somebody takes parts of the interception away, one after the other, under load. */
export const drift: Scenario = {
  name: 'drift',
  async run(world) {
    const daemon = await world.startDaemon()
    await daemon.ready()
    const loads = world.pods.map((pod, i) =>
      startLoad(pod, usualGroups(i % 2 === 0 ? IPV4_ORIGIN : IPV6_ORIGIN), PATIENT_MS),
    )
    await Promise.all(loads.map(({ answered }) => answered))
    await reversePathInstalled()
    const whole = await whatIsInPlace()
    let slowest = 0
    const harms: (readonly [string, () => Promise<unknown>])[] = [
      ['IPv4 address', () => run('ip', 'addr', 'del', `${REDIRECT_IPV4}/32`, 'dev', 'lo')],
      ['IPv6 address', () => run('ip', 'addr', 'del', `${REDIRECT_IPV6}/128`, 'dev', 'lo')],
      ['policy rules', () => run('ip', 'rule', 'del', 'pref', '3')],
      ['IPv6 policy rules', () => run('ip', '-6', 'rule', 'del', 'pref', '3')],
      ...whole.rules
        .map(
          ({ chain, handle }) =>
            [
              `rule ${handle} of ${chain}`,
              () => run('nft', 'delete', 'rule', 'inet', 'metadatad', chain, 'handle', String(handle)),
            ] as const,
        )
        .filter((_, i) => i % 4 === 0),
      ['table', () => run('nft', 'delete', 'table', 'inet', 'metadatad')],
    ]
    for (const [what, harm] of harms) {
      await harm()
      slowest = Math.max(slowest, await mended(what, whole))
    }
    await setTimeout(3_000)
    const seen = await endLoads(world, loads)
    return {
      requests: seen.requests,
      failures: seen.failures,
      packetsAtCloud: await world.packetsAtCloud(),
      wrongIdentities: seen.wrongIdentities,
      note: `${harms.length} things taken away (addresses, policy rules, nft rules, the table), each mended within ${(slowest / 1_000).toFixed(1)} s; failures: ${seen.text}; slowest answer ${seen.slowestMs} ms`,
    }
  },
}

/** @returns after how many milliseconds all was as before */
async function mended(what: string, whole: InPlace): Promise<number> {
  const startedAt = performance.now()
  for (let looks = 1; ; looks++) {
    const now = await whatIsInPlace()
    const ms = performance.now() - startedAt
    if (now.summary === whole.summary) return ms
    assert.ok(looks < MAX_LOOKS, `${what} is not mended: ${now.summary}\nwas ${whole.summary}`)
    await setTimeout(100)
  }
}
