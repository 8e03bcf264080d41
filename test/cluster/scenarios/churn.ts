import type { Daemon } from '../../../src/daemon.ts'
import { Accounts } from '../churn/accounts.ts'
import { NodeKernel } from '../churn/node-kernel.ts'
import { runChurn } from '../churn/run-churn.ts'
import type { Tally } from '../churn/tally.ts'
import type { Scenario } from '../scenario.ts'

const LIFECYCLES = Number(process.env.METADATAD_LIFECYCLES ?? 20_000)
/** Every connection of these costs a live read. */
const UNPROVED = 400
const UNPROVED_AT_A_TIME = 60
/** In, before and after their lives: what a large node runs. */
const AT_A_TIME = 200
/** Ten times what a real node starts. */
const PER_SECOND = 112
const UNPROVED_PER_SECOND = 40

/**
 * Pods live and die by the thousand on few addresses, and ask who they are from their first instruction on.
 *
 * Proved by a kernel that shows what is true, whatever the API server shows: addresses are used again the moment their last owner's
 * process has ended, and forced deletions, ended Jobs and late reports leave the API server behind by up to 0.8 s. Then
 * without proof, where an address is used again once the API server no longer gives it to its last owner: what else happens
 * nobody can know without proof.
 */
export const churn: Scenario = {
  name: 'churn',
  // Three minutes, if the machine keeps up.
  limitMs: 1_200_000,
  async run(world) {
    const say = (line: string) => process.stderr.write(`${line}\n`)
    const kernel = new NodeKernel()
    const accounts = await Accounts.create(world)
    const shared = { world, accounts, kernel, say }
    await world.plane.audit.read()

    const proof = { 'caller.proof': 'require', 'caller.cgroupRoot': '/cgroup' }
    // First, for in its first half minute a daemon does not hurry: it meets all pods of its node at once.
    const proving = await world.startDaemon({ flags: proof, hostFiles: kernel })
    const trusting = await world.startDaemon({ flags: { 'caller.confirmWithin': '0' } })
    const unproved = await runChurn({
      ...shared,
      daemon: trusting,
      reuse: 'when told',
      lifecycles: UNPROVED,
      perSecond: UNPROVED_PER_SECOND,
      atATime: UNPROVED_AT_A_TIME,
      seed: 7,
      subnet: 13,
    })
    await trusting.daemon.stop()

    const proved = await runChurn({
      ...shared,
      daemon: proving,
      reuse: 'at once',
      lifecycles: LIFECYCLES,
      perSecond: PER_SECOND,
      atATime: AT_A_TIME,
      seed: 6,
      subnet: 12,
    })

    const wrong = [...proved.wrong, ...unproved.wrong]
    const failed = [...proved.failed, ...unproved.failed]
    for (const line of [...wrong.slice(0, 10), ...failed.slice(0, 10)]) say(line)
    const reads = await liveReads(proving.daemon)
    return {
      operations: proved.lifecycles + unproved.lifecycles,
      failures: failed.length,
      wrongIdentities: wrong.length,
      apiCalls: (await world.plane.audit.read()).length,
      note: `${told(proved)}, with ${reads} live reads; without proof ${told(unproved)}`,
    }
  },
}

function told(tally: Tally): string {
  const { lifecycles, answered, refused, annotationChanges, neverAnswered } = tally
  const { firstAnswered, firstWarm, firstHeld, firstRefused } = tally
  const share = ((100 * firstWarm) / Math.max(1, firstAnswered)).toFixed(2)
  return (
    `${lifecycles} pods, ${answered} answers, ${refused} 503s, ${annotationChanges} annotations changed, ${neverAnswered} pods ended ` +
    `unanswered; of ${firstAnswered} first requests for a credential that were answered ${share} % found it there, ${firstHeld} came ` +
    `before the API server knew the address, and ${firstRefused} more were told 503`
  )
}

async function liveReads({ metrics }: Daemon): Promise<number> {
  const { values } = await metrics.liveReads.get()
  return values.reduce((sum, { value }) => sum + value, 0)
}
