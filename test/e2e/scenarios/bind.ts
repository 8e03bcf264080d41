import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { EMAIL } from '../../support/pod-questions.ts'
import { RAW_ANSWER } from '../bed/addresses.ts'
import { run } from '../bed/run.ts'
import { runHere } from '../bed/run-here.ts'
import { dialFrom } from '../client/dial-from.ts'
import { startLoad, usualGroups } from '../client/start-load.ts'
import { crash } from '../crash.ts'
import { ANSWERED, FORBIDDEN, isRedirectTarget } from '../dials.ts'
import { expectSilence } from '../expect-silence.ts'
import { IPV4_ORIGIN, IPV6_ORIGIN } from '../origins.ts'
import type { Scenario } from '../scenario.ts'
import { endLoads } from '../tally.ts'

const MODE = ['--intercept-mode', 'bind'] as const
/** Longer than the clients' pools keep a connection that is not used. */
const DRAINED = [...MODE, '--listen-drain', '8s'] as const
/** In this mode there is no address of the redirect's own. */
const OTHERS = FORBIDDEN.filter((dial) => !isRedirectTarget(dial))

/** The node has the metadata addresses itself: pods get their own identity through an update and a crash, and nothing else. */
export const bind: Scenario = {
  name: 'bind',
  alone: true,
  async run(world) {
    const { pods } = world
    const untouched = await everything()
    await world.intercept('install', ...MODE)
    const first = await world.startDaemon(...DRAINED)
    await first.ready()
    const loads = pods.map((pod, i) => startLoad(pod, usualGroups(i % 2 === 0 ? IPV4_ORIGIN : IPV6_ORIGIN)))
    await Promise.all(loads.map(({ answered }) => answered))
    const second = await world.startDaemon(...DRAINED)
    await second.ready()
    first.signal('SIGTERM')
    await first.ended()
    // What it left behind would show now.
    await setTimeout(4_000)
    const updated = await endLoads(world, loads)
    const silent = await Promise.all(pods.map((pod) => expectSilence(pod, OTHERS)))
    await expectNothingForHost()

    const crashed = await crash(world, second, ...MODE, '--listen-drain', '1s')

    crashed.next.signal('SIGTERM')
    await crashed.next.ended()
    await Promise.all(pods.map((pod) => expectSilence(pod, [...ANSWERED, ...OTHERS])))
    const packetsAtCloud = await world.packetsAtCloud()
    await world.intercept('remove', ...MODE)
    assert.equal(await everything(), untouched)
    for (const { outcome, text } of await dialFrom(pods[0], ANSWERED))
      assert.ok(outcome === 'answered' && text.includes(RAW_ANSWER), outcome)
    return {
      requests: updated.requests + crashed.seen.requests,
      failures: updated.failures + crashed.failures,
      packetsAtCloud,
      wrongIdentities: updated.wrongIdentities + crashed.seen.wrongIdentities,
      note: `one update, failures: ${updated.text}; ${silent.reduce((sum, count) => sum + count)} dials of other ports and addresses dropped; ${crashed.note}; a host process is given nobody's identity; \`intercept remove\` leaves rules, addresses and routes as they were`,
    }
  },
}

/** Of what the interception could have changed. */
async function everything(): Promise<string> {
  const commands = [
    'nft list ruleset',
    'ip -o addr show dev lo',
    'ip rule',
    'ip -6 rule',
    'ip route show table all',
  ]
  const shown: string[] = []
  for (const command of commands) {
    const [program, ...args] = command.split(' ')
    shown.push(await run(program!, ...args))
  }
  return shown.join('\n')
}

/** The addresses are the node's own: so its own processes reach the daemon, which knows no pod behind them. */
async function expectNothingForHost(): Promise<void> {
  const dials = ANSWERED.map((dial) => ({ ...dial, path: EMAIL }))
  for (const { host, outcome, text } of await dialFrom({ run: runHere }, dials)) {
    assert.equal(outcome, 'answered', host)
    assert.match(text, /^HTTP\/1\.\d (?:403|404|503) /)
    assert.doesNotMatch(text, /gserviceaccount/)
  }
}
