import assert from 'node:assert/strict'
import { join } from 'node:path'
import { SANDBOX_PROVIDER } from '../../../src/sandbox/names.ts'
import { eventually } from '../../support/eventually.ts'
import { AdmissionPolicies } from '../admission/admission-policies.ts'
import { BeyondTokens } from '../admission/beyond-tokens.ts'
import { informerRace } from '../admission/informer-race.ts'
import { TaintRights } from '../admission/taint-rights.ts'
import { type TokenWish, tokenAsker } from '../admission/token-asker.ts'
import { typeWarnings } from '../admission/type-warnings.ts'
import type { Api } from '../api.ts'
import { patientAnswer, question } from '../rights/questions.ts'
import { threeIdentities } from '../rights/three-identities.ts'
import type { Scenario } from '../scenario.ts'
import type { ClusterDaemon } from '../start-daemon-in.ts'
import { daemonToken } from '../tokens/daemon-token.ts'
import type { World } from '../world.ts'

const IP = '127.0.33.1'
const NAMED_AUDIENCE_IP = '127.0.33.2'
const CLIENT_ID = '1a9707a0-1111-4c11-8000-000000000033'
const GOOGLE = `//iam.googleapis.com/${SANDBOX_PROVIDER}`
const AUDIENCES = [GOOGLE, 'sts.amazonaws.com', 'api://AzureADTokenExchange']
const OTHER_NODE = 'node-of-another-daemon'
const TRIES = 200
/** Of them, refused when asked for again as well, while the machine stands still. The policy's cache is behind by 20 ms otherwise. */
const RARE = 4

/** The component `validating-admission-policy`, enforced by the real server: what it refuses, whom it leaves alone, and what slips through. */
export const admissionPolicy: Scenario = {
  name: 'admission-policy',
  async run(world) {
    const { plane, namespace } = world
    const { admin } = plane
    const identities = await threeIdentities(world, 'all', CLIENT_ID)
    const mine = { name: 'mine', uid: await world.createPod({ name: 'mine', serviceAccount: 'all', ip: IP }) }
    await world.addNode(OTHER_NODE)
    const theirs = {
      name: 'theirs',
      uid: await world.createPod({ name: 'theirs', serviceAccount: 'all', node: OTHER_NODE }),
    }
    const looseToken = await daemonToken(world, { bound: false })
    await using daemonUser = plane.withToken(await daemonToken(world))
    await using loose = plane.withToken(looseToken)
    await using neighbour = await tokenCreator(world)
    const request = tokenAsker(namespace, 'all', GOOGLE)
    const denied = async (wish: TokenWish, pod = mine) =>
      (await request(daemonUser, pod, wish)).status === 403
    const unbound = { boundObjectRef: undefined }

    await using _taints = await TaintRights.grant(world)
    const beyond = new BeyondTokens(world, daemonUser, loose, OTHER_NODE)
    await using policies = await AdmissionPolicies.apply({
      admin,
      directory: join(world.directory, 'overlay'),
      audiences: AUDIENCES,
      // Each policy has a cache of its own: all, or none.
      async inForce() {
        const some = [await denied(unbound), await denied({}, theirs), ...(await beyond.inForce())]
        return new Set(some).size === 1 ? some[0]! : this.inForce()
      },
    })
    assert.deepEqual(await typeWarnings(world, policies), [])

    const refusals: readonly (readonly [Api, typeof mine, TokenWish, RegExp])[] = [
      [daemonUser, mine, unbound, /must be bound to a pod, by its name and UID/],
      [daemonUser, mine, { boundObjectRef: to('Pod', { name: 'mine' }) }, /by its name and UID/],
      [daemonUser, mine, { boundObjectRef: to('Pod', { uid: mine.uid }) }, /by its name and UID/],
      [daemonUser, mine, { boundObjectRef: to('Secret', mine) }, /must be bound to a pod/],
      [daemonUser, mine, { boundObjectRef: to('Node', { name: world.node }) }, /must be bound to a pod/],
      [daemonUser, theirs, {}, /a pod of the node that the daemon's own token is bound to/],
      [daemonUser, { ...mine, uid: theirs.uid }, {}, /a pod of the node that/],
      [daemonUser, mine, { audiences: [plane.url] }, /an audience that the policy .* lists/],
      [daemonUser, mine, { audiences: [GOOGLE, plane.url] }, /an audience that the policy .* lists/],
      [daemonUser, mine, { audiences: undefined }, /an audience that the policy .* lists/],
      [daemonUser, mine, { expirationSeconds: 3_601 }, /must not live longer than an hour/],
      [loose, mine, {}, /the token that the kubelet mounts into its pod/],
    ]
    const complaints: string[] = []
    let operations = 0
    const expect = async (status: number, message: RegExp, asked: ReturnType<typeof request>) => {
      operations++
      const { status: got, body } = await asked
      if (got !== status || !message.test(body.message ?? '')) complaints.push(`${got} ${body.message}`)
    }
    for (const [api, pod, wish, message] of refusals) await expect(403, message, request(api, pod, wish))
    // Of a pod that was replaced the API server itself says so, and the daemon drops what it has of it.
    const nobody = '00000000-0000-4000-8000-000000000000'
    await expect(409, /does not match the UID in record/, request(daemonUser, { ...mine, uid: nobody }))

    const { operations: others, complaints: otherComplaints } = await beyond.tried()
    operations += others
    complaints.push(...otherComplaints)

    const empty = `${namespace}-empty`
    await admin.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: empty } })
    await world.applyServiceAccount('all', {}, empty)
    for (const user of [admin, neighbour]) {
      const free = { ...unbound, audiences: ['anything'], expirationSeconds: 7_200 }
      await expect(201, /^$/, request(user, mine, free))
      await expect(201, /^$/, request(user, theirs, {}))
      await expect(201, /^$/, request(user, mine, { ...free, namespace: empty }))
    }

    const daemon = await world.startDaemon()
    await plane.audit.read()
    for (const cloud of ['google', 'aws', 'azure'] as const) {
      operations++
      const { email, arn, clientId } = identities
      const answer = await patientAnswer(daemon, IP, identities, cloud)
      if (answer !== { google: email, aws: arn, azure: clientId }[cloud]) complaints.push(`${answer}`)
    }
    const apiCalls = (await plane.audit.read()).length

    await world.applyServiceAccount('named', {
      'eks.amazonaws.com/role-arn': identities.arn,
      'eks.amazonaws.com/audience': 'not-listed',
    })
    await world.createPod({ name: 'named', serviceAccount: 'named', ip: NAMED_AUDIENCE_IP })
    await tells(daemon, /must be for an audience that the policy/, () =>
      question(daemon, NAMED_AUDIENCE_IP, identities, 'aws'),
    )
    const lost = await world.startDaemon({ kubeconfig: plane.kubeconfigOf({ token: looseToken }) })
    await tells(lost, /the token that the kubelet mounts into its pod/, () =>
      question(lost, IP, identities, 'google'),
    )

    const race = await informerRace(world, {
      elsewhere: OTHER_NODE,
      serviceAccount: 'all',
      tries: TRIES,
      ask: (pod) => request(daemonUser, pod),
    })
    return {
      operations: operations + 2 * TRIES,
      failures: complaints.length + Math.max(0, race.refusedTwice - RARE),
      wrongIdentities: 0,
      apiCalls,
      note: `of ${TRIES} pods of another node, asked for as soon as they were made, ${race.slipped} slipped through, for ${race.longestMs.toFixed(0)} ms at most; of ${TRIES} just bound to the daemon's own node ${race.refused} were refused at first, ${race.refusedTwice} when asked for again ${complaints}`,
    }
  },
}

function to(kind: string, rest: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return { apiVersion: 'v1', kind, ...rest }
}

/** Another ServiceAccount with the right to create tokens. */
async function tokenCreator({ plane, namespace }: World): Promise<Api> {
  const name = `${namespace}-token-creator`
  const rbac = 'rbac.authorization.k8s.io'
  const subject = `system:serviceaccount:${namespace}:neighbour`
  await plane.admin.apply({
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name },
    rules: [{ apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] }],
  })
  await plane.admin.apply({
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
    subjects: [{ apiGroup: rbac, kind: 'User', name: subject }],
  })
  return plane.as(subject, ['system:serviceaccounts'])
}

/** The pod is told whom to turn to, and the operator's log has the API server's own words. */
async function tells(daemon: ClusterDaemon, words: RegExp, ask: () => ReturnType<typeof question>) {
  const { body } = await eventually(ask, (it) => it.status !== 503)
  assert.match(body, /an admission policy that allows the audience/)
  const line = daemon.logged.find(({ code }) => code === 'SUBJECT_TOKEN_REFUSED')
  assert.match(JSON.stringify(line?.err), words)
}
