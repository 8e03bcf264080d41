import assert from 'node:assert/strict'
import { RIGHTS } from '../../../src/kubernetes/rights.ts'
import { ask } from '../../support/ask.ts'
import { eventually } from '../../support/eventually.ts'
import { TOKEN } from '../../support/pod-questions.ts'
import type { ClusterDaemon } from '../start-daemon-in.ts'
import type { World } from '../world.ts'
import { IPS, type Lack } from './lacks.ts'
import { LimitedUser } from './limited-user.ts'
import { type OperatorView, operatorView } from './operator-view.ts'
import { patientAnswer, type Question } from './questions.ts'
import type { ThreeIdentities } from './three-identities.ts'

const QUESTIONS: readonly Question[] = ['email', 'google', 'aws', 'azure', 'zone']

/**
 * Runs a daemon that has all rights of the manifests but one; sees what it says of it, what still works, and that it notices when
 * the right is given back. Returns the number of questions.
 *
 * @param all the manifests' rights
 */
export async function withoutRight(
  world: World,
  { right, missedBy, mendedBy, lost = [], notReady = false, unused = false }: Lack,
  identities: ThreeIdentities,
  all: readonly string[],
): Promise<number> {
  const name = `without-${right.replace(/\W/g, '-')}`
  // Of this try alone: the user of one before has been given all rights.
  await using user = await LimitedUser.create(
    world.plane,
    `${world.namespace}-${name}`,
    all.filter((it) => it !== right),
  )
  const daemon = await world.startDaemon({
    kubeconfig: user.kubeconfig,
    flags: { 'credentials.refusalTtl': '1s' },
  })
  for (const what of QUESTIONS) {
    const answer = await eventually(
      () => patientAnswer(daemon, IPS.whole, identities, what),
      // Another watch tells of the node than of its pods: its zone may not be known yet.
      (it) => what !== 'zone' || lost.includes(what) || it === rightAnswer(identities, what),
    )
    if (!lost.includes(what)) assert.equal(answer, rightAnswer(identities, what), `${name}: ${what}`)
    else assert.notEqual(answer, rightAnswer(identities, what), `${name}: ${what}`)
    if (what !== 'zone' && lost.includes(what)) assert.match(answer ?? '', /operator of the cluster/)
  }
  const view = await eventually(
    () => asking(daemon, missedBy),
    // The page and the metrics are read one after the other: the right may be found missing in between.
    (it) =>
      it.ready !== notReady &&
      (unused || [it.missing, it.logged, it.warnings].every(({ length }) => length > 0)),
  )
  const told = unused ? [] : [right]
  assert.deepEqual(view.missing, told, name)
  assert.deepEqual(view.logged, told, `${name}: once`)
  assert.equal(view.warnings.length, told.length)
  if (!unused) assertSpecific(daemon, view.warnings[0]!, right)

  await user.may(all)
  if (mendedBy !== undefined) await world.createPod({ name, serviceAccount: 'refused', ip: mendedBy })
  for (const what of lost)
    await eventually(
      () => patientAnswer(daemon, IPS.whole, identities, what),
      (answer) => answer === rightAnswer(identities, what),
    )
  await eventually(
    () => asking(daemon, mendedBy ?? missedBy),
    ({ ready, missing, warnings }) => ready && missing.length + warnings.length === 0,
  )
  return QUESTIONS.length + lost.length
}

function rightAnswer({ email, arn, clientId }: ThreeIdentities, what: Question): string {
  const zone = 'projects/123456789012/zones/europe-west1-b'
  return { google: email, aws: arn, azure: clientId, email, zone }[what]
}

async function asking(daemon: ClusterDaemon, ip: string | undefined): Promise<OperatorView> {
  if (ip !== undefined) assert.notEqual((await ask(daemon.host, TOKEN, { ip })).status, 200)
  return await operatorView(daemon)
}

/** Names verb, resource, what it is for, what works without it and what mends it, in the log and on the page. */
function assertSpecific(daemon: ClusterDaemon, warning: string, right: string): void {
  const { verb, resource, neededFor, without, mend } = RIGHTS.find(
    (it) => `${it.verb} ${it.resource}` === right,
  )!
  for (const part of [`no right to ${right}`, neededFor, without, mend])
    assert.ok(warning.includes(part), right)
  const line = daemon.logged.find((it) => it.verb === verb && it.resource === resource && it.mend === mend)
  assert.equal(line?.level, 'error')
  assert.equal(line.neededFor, neededFor)
  assert.equal(line.without, without)
}
