import { sandboxMember } from '../../../src/sandbox/sandbox-config.ts'
import { eventually } from '../../support/eventually.ts'
import { gsa, identityOf } from '../../support/pod-questions.ts'
import { Callers } from '../callers.ts'
import type { Scenario } from '../scenario.ts'

const KNOWN = ['127.0.22.1', '127.0.22.2', '127.0.22.3', '127.0.22.4']
const ANNOTATED = '127.0.22.5'
const LATE = '127.0.22.6'
const SWAPPED = ['127.0.22.7', '127.0.22.8'] as const
/** `caller.confirmWithin` by default: who was not confirmed for longer is told to try again, as he must be. */
const CONFIRMED_MS = 30_000

/**
 * The API server is killed and starts again, and pods ask all the while: those of a daemon with defaults lose nothing, those of one that
 * confirms every connection are refused meanwhile, and have nobody else's identity when two of them have changed their addresses.
 */
export const apiRestart: Scenario = {
  name: 'api-restart',
  async run(world) {
    const { plane, clouds, namespace } = world
    const run = async (name: string, ip: string) => {
      const email = await world.googleServiceAccount(name)
      await world.createPod({ name, serviceAccount: name, ip })
      return email
    }
    const known = await Promise.all(KNOWN.map((ip, i) => run(`known-${i}`, ip)))
    const first = await run('annotated', ANNOTATED)
    const swapped = await Promise.all(SWAPPED.map((ip, i) => run(`swapped-${i}`, ip)))
    await plane.audit.read()
    const startedAt = performance.now()
    const [lenient, strict] = [
      await world.startDaemon(),
      await world.startDaemon({ flags: { 'caller.confirmWithin': '0s' } }),
    ]
    await using patient = new Callers(lenient)
    await using confirmed = new Callers(strict)
    for (const [i, ip] of KNOWN.entries()) patient.is(ip, known[i]!)
    patient.is(ANNOTATED, first)
    for (const [i, ip] of SWAPPED.entries()) confirmed.is(ip, swapped[i]!)
    await Promise.all([patient.started(), confirmed.started()])
    const before = patient.all.right

    await plane.apiServer.stop(0)
    try {
      await Promise.all(KNOWN.map((ip) => patient.right(ip, 20)))
    } finally {
      await plane.startApiServer()
    }
    const meanwhile = patient.all.right - before

    const [one, other] = swapped as [string, string]
    await confirmed.become(SWAPPED[0], other, () =>
      confirmed.become(SWAPPED[1], one, async () => {
        await world.setStatus('swapped-0', { ip: SWAPPED[1] })
        await world.setStatus('swapped-1', { ip: SWAPPED[0] })
      }),
    )
    const late = await run('late', LATE)
    patient.is(LATE, late)
    const second = gsa('annotated-again')
    clouds.google.grant(second, sandboxMember(namespace, 'annotated'))
    await patient.become(ANNOTATED, second, async () => {
      await world.applyServiceAccount('annotated', { 'iam.gke.io/gcp-service-account': second })
      await eventually(
        () => identityOf(lenient, ANNOTATED),
        (identity) => identity === second,
      )
    })
    await Promise.all([...KNOWN, ANNOTATED, LATE].map((ip) => patient.right(ip)))
    await Promise.all(SWAPPED.map((ip) => confirmed.right(ip)))

    // A machine that needs longer for all this has left the known pods unconfirmed meanwhile.
    const isLate = performance.now() - startedAt > CONFIRMED_MS
    const refused = isLate ? 0 : KNOWN.reduce((sum, ip) => sum + patient.told(ip).refused, 0)
    const { right, wrong, failed } = patient.all
    const sure = confirmed.all
    return {
      operations: right + sure.right,
      failures: refused + failed.length + sure.failed.length,
      wrongIdentities: wrong + sure.wrong,
      apiCalls: (await plane.audit.read()).length,
      note: `${meanwhile} answers without the API server; with caller.confirmWithin: 0s ${sure.refused} requests were told to try again, and two pods changed their addresses ${[...failed, ...sure.failed].slice(0, 3)}`,
    }
  },
}
