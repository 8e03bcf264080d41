import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { adminPage, sampleSum } from '../../bench/admin-page.ts'
import { ask } from '../../support/ask.ts'
import { eventually } from '../../support/eventually.ts'
import { keptAlive } from '../../support/kept-alive.ts'
import { identityOf, TOKEN } from '../../support/pod-questions.ts'
import { Callers } from '../callers.ts'
import type { Component } from '../component.ts'
import type { Scenario } from '../scenario.ts'
import type { ClusterDaemon } from '../start-daemon-in.ts'
import { TooSlow } from '../too-slow.ts'
import type { World } from '../world.ts'

const KNOWN = '127.0.23.1'
const NEW = ['127.0.23.10', '127.0.23.11'] as const
const STALE_SECONDS = 3
const CONFIRM_WITHIN = '2s'
const FREEZE_LIMIT_MS = 25_000

/** etcd, and then the API server, stop without a word: no connection ends, and nothing is heard. */
export const frozenEtcd: Scenario = {
  name: 'frozen-etcd',
  async run(world) {
    const { plane } = world
    const known = await world.googleServiceAccount('known')
    await world.createPod({ name: 'known', serviceAccount: 'known', ip: KNOWN })
    await plane.audit.read()
    const usual = await world.startDaemon()
    const strict = await world.startDaemon({ flags: { 'caller.confirmWithin': CONFIRM_WITHIN } })
    await using callers = new Callers(usual)
    callers.is(KNOWN, known)
    await callers.started()
    using connection = keptAlive(strict.host, KNOWN)
    const first = await connection.askPatiently(TOKEN)
    assert.equal(first.status, 200)

    let refused = 0
    for (const [i, component] of [plane.etcd.process, plane.apiServer].entries()) {
      const ip = NEW[i]!
      await freeze(component, async () => {
        const frozenAt = performance.now()
        await eventually(
          () => staleness(strict),
          // By then a live read of just before vouches for nobody either.
          (seconds) => seconds > STALE_SECONDS && performance.now() - frozenAt > STALE_SECONDS * 1_000,
        )
        await callers.right(KNOWN)
        assert.equal((await connection.ask(TOKEN)).body.slice(0, 60), first.body.slice(0, 60))
        const askers = [
          ask(strict.host, TOKEN, { ip: KNOWN }),
          ...[usual, strict].map(({ host }) => ask(host, TOKEN, { ip })),
        ]
        for (const { status, headers } of await Promise.all(askers)) {
          assert.equal(status, 503, `refused while ${component.name} is frozen`)
          assert.ok(Number(headers['retry-after']) > 0)
          refused++
        }
      })
      // An API server that finds its etcd again may answer 500 for a moment.
      await eventually(
        () => plane.admin.ask('GET', '/readyz').catch(() => undefined),
        (answer) => answer?.status === 200,
      )
      const name = `new-${i}`
      const email = await world.googleServiceAccount(name)
      await world.createPod({ name, serviceAccount: name, ip })
      for (const daemon of [usual, strict]) {
        assert.equal(await identityOf(daemon, ip), email)
        assert.equal(await identityOf(daemon, KNOWN), known)
        await hears(world, daemon, name)
      }
    }
    assert.equal(connection.ports.size, 1, 'one connection was enough')
    const told = callers.all
    return {
      operations: told.right,
      failures: told.refused + told.failed.length,
      wrongIdentities: told.wrong,
      apiCalls: (await plane.audit.read()).length,
      note: `etcd frozen for ${STALE_SECONDS} s, then the API server: metadatad_watch_staleness_seconds says so, a known pod is served, ${refused} callers that could not be confirmed were told to try again ${told.failed.slice(0, 3)}`,
    }
  },
}

async function freeze(component: Component, work: () => Promise<void>): Promise<void> {
  component.freeze()
  try {
    const late = setTimeout(FREEZE_LIMIT_MS, undefined, { ref: false }).then(() => {
      throw new TooSlow(FREEZE_LIMIT_MS, `what is looked at while ${component.name} is frozen`)
    })
    await Promise.race([work(), late])
  } finally {
    component.thaw()
  }
}

/** Resolves when the daemon hears of changes of a pod as they happen. */
async function hears(world: World, daemon: ClusterDaemon, pod: string): Promise<void> {
  const path = `/api/v1/namespaces/${world.namespace}/pods/${pod}`
  let changes = 0
  for (;;) {
    const seconds = await staleness(daemon)
    if (seconds < STALE_SECONDS) return
    // The last change may have been heard of before this look, and the next word of the API server's own is a minute away.
    await world.plane.admin.merge(path, { metadata: { labels: { change: String(changes++) } } })
    await setTimeout(100)
  }
}

async function staleness({ adminUrl }: ClusterDaemon): Promise<number> {
  const page = await adminPage(Number(new URL(adminUrl).port), '/metrics')
  return sampleSum(page ?? '', 'metadatad_watch_staleness_seconds', 'resource="pods"')
}
