import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { eventually } from '../../support/eventually.ts'
import { run } from '../bed/run.ts'
import type { FailedRequest } from '../client/load.ts'
import { startLoad, usualGroups } from '../client/start-load.ts'
import { whatIsInPlace } from '../in-place.ts'
import { IPV4_ORIGIN, IPV6_ORIGIN } from '../origins.ts'
import type { Scenario } from '../scenario.ts'
import { endLoads } from '../tally.ts'

const FLUSHES = 3
/** Clients that ride it out: SDKs try again where these wait. */
const PATIENT_MS = 10_000

/** One flush: at some moment between the first two the rules were gone, and at the third they were back. */
interface Flush {
  readonly begunAt: number
  readonly doneAt: number
  readonly mendedAt: number
}

/** Another program empties the firewall under load. */
export const flushed: Scenario = {
  name: 'flush-ruleset',
  async run(world) {
    const daemon = await world.startDaemon()
    await daemon.ready()
    const loads = world.pods.map((pod, i) =>
      startLoad(pod, usualGroups(i % 2 === 0 ? IPV4_ORIGIN : IPV6_ORIGIN), PATIENT_MS),
    )
    await Promise.all(loads.map(({ answered }) => answered))
    const flushes: Flush[] = []
    for (let i = 0; i < FLUSHES; i++) {
      const begunAt = Date.now()
      await run('nft', 'flush', 'ruleset')
      const doneAt = Date.now()
      await eventually(whatIsInPlace, ({ rules }) => rules.length > 0)
      flushes.push({ begunAt, doneAt, mendedAt: Date.now() })
      await setTimeout(4_000)
    }
    const seen = await endLoads(world, loads)
    // It must have recovered: clients that start now are answered at once.
    const after = world.pods.map((pod) => startLoad(pod, usualGroups(IPV4_ORIGIN)))
    await Promise.all(after.map(({ answered }) => answered))
    const recovered = await endLoads(world, after)
    // What the daemon sends (or sends again) while nothing translates its source back reaches no socket of the pod, and the
    // pod's kernel then resets the daemon's. So connections that were in use just then are lost, and no new ones.
    const isInUse = ({ at, until, connections }: FailedRequest) =>
      flushes.some(
        ({ begunAt, doneAt, mendedAt }) =>
          until >= begunAt && at <= (connections === 'new' ? doneAt : mendedAt),
      )
    const lost = seen.failed.filter(isInUse).length
    assert.ok(lost <= FLUSHES * loads.length * 4, `${lost} connections were lost`)
    return {
      requests: seen.requests + recovered.requests,
      failures: seen.failures - lost + recovered.failures,
      packetsAtCloud: await world.packetsAtCloud(),
      wrongIdentities: seen.wrongIdentities + recovered.wrongIdentities,
      note: `nft flush ruleset, ${FLUSHES} times; ${lost} connections that were in use just then were lost; failures with them: ${seen.text}, afterwards: ${recovered.text}; slowest answer ${seen.slowestMs} ms`,
    }
  },
}
