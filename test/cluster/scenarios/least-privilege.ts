import { allUsed } from '../rights/all-used.ts'
import { IPS, LACKS } from '../rights/lacks.ts'
import { manifestRights } from '../rights/manifest-rights.ts'
import { nothingBeyond } from '../rights/nothing-beyond.ts'
import { readOneByOne } from '../rights/read-one-by-one.ts'
import { removeTaint } from '../rights/remove-taint.ts'
import { threeIdentities } from '../rights/three-identities.ts'
import { withoutRight } from '../rights/without-right.ts'
import type { Scenario } from '../scenario.ts'

/** The rights of `manifests/`: all of them are used, each is missed by name, and nothing is granted beyond. */
export const leastPrivilege: Scenario = {
  name: 'least-privilege',
  // Watches that are forbidden are tried again after half a minute, and a dozen daemons share the machine.
  limitMs: 300_000,
  async run(world) {
    const { namespace, plane } = world
    const whole = await threeIdentities(world, 'whole', '1a9707a0-2222-4c22-8000-000000000001')
    const uid = await world.createPod({ name: 'whole', serviceAccount: 'whole', ip: IPS.whole })
    const refused = { 'iam.gke.io/gcp-service-account': 'refused@demo-project.iam.gserviceaccount.com' }
    await world.applyServiceAccount('refused', refused)
    await world.createPod({ name: 'refused', serviceAccount: 'refused', ip: IPS.refused })
    for (const name of ['twin-1', 'twin-2'])
      await world.createPod({ name, serviceAccount: 'whole', ip: IPS.twins })
    await world.applyServiceAccount('orphan')
    await world.createPod({ name: 'orphan', serviceAccount: 'orphan', ip: IPS.orphan })
    await plane.admin.delete(`/api/v1/namespaces/${namespace}/serviceaccounts/orphan`)

    // Once: it takes a process.
    const granted = manifestRights()
    const compared = await nothingBeyond(world, granted)
    const [apiCalls, changes, taints, ...questions] = await Promise.all([
      allUsed(world, whole, uid, granted),
      readOneByOne(world, granted),
      removeTaint(world),
      ...LACKS.map((lack) => withoutRight(world, lack, whole, granted)),
    ])
    return {
      operations: compared + changes + taints + questions.reduce((sum, count) => sum + count),
      failures: 0,
      wrongIdentities: 0,
      apiCalls,
      note: `${LACKS.length} rights of the ClusterRole, in three namespaces no other; each is used, and was taken away, missed by name and given back; ${changes} changes of ServiceAccounts that may only be read one by one`,
    }
  },
}
