import assert from 'node:assert/strict'
import { SANDBOX_PROVIDER } from '../../../src/sandbox/names.ts'
import { eventually } from '../../support/eventually.ts'
import { keptAlive } from '../../support/kept-alive.ts'
import { TOKEN } from '../../support/pod-questions.ts'
import { patientAnswer } from '../rights/questions.ts'
import { type ThreeIdentities, threeIdentities } from '../rights/three-identities.ts'
import type { Scenario } from '../scenario.ts'
import { CapturedTokens } from '../tokens/captured-tokens.ts'
import { daemonToken } from '../tokens/daemon-token.ts'
import type { World } from '../world.ts'

const IP = '127.0.30.1'
const CLIENT_ID = '1a9707a0-1111-4c11-8000-000000000030'
const AUDIENCES = {
  google: `//iam.googleapis.com/${SANDBOX_PROVIDER}`,
  aws: 'sts.amazonaws.com',
  azure: 'api://AzureADTokenExchange',
}
const CLOUDS = ['google', 'aws', 'azure'] as const
/** `subjectToken.expiration`, and what an annotation asks for instead. */
const LIVES = { google: 3_600, aws: 900, azure: 3_600 }

/**
 * The tokens that the daemon has the API server sign, as the clouds get them; and that none outlives its pod or ServiceAccount, though
 * the next has its name and address.
 */
export const tokenRequest: Scenario = {
  name: 'token-request',
  async run(world) {
    const { plane, clouds, namespace, node } = world
    using captured = new CapturedTokens(clouds)
    const identities = await annotate(world)
    const pod = { name: 'all', serviceAccount: 'all', ip: IP }
    const first = await world.createPod(pod)
    const daemon = await world.startDaemon()
    await plane.audit.read()

    const found = { operations: 0, failures: 0, wrongIdentities: 0 }
    const answered = async (cloud: (typeof CLOUDS)[number]) => {
      found.operations++
      const { email, arn, clientId } = identities
      const identity = { google: email, aws: arn, azure: clientId }[cloud]
      assert.equal(await patientAnswer(daemon, IP, identities, cloud), identity)
    }
    for (const cloud of CLOUDS) await answered(cloud)
    const accountUid = await uidOf(world, 'serviceaccounts', 'all')
    const nodeUid = (await plane.admin.get(`/api/v1/nodes/${node}`)).metadata.uid
    for (const cloud of CLOUDS) {
      const token = captured.last(cloud, 'all')
      assert.ok(token, cloud)
      assert.equal(token.issuer, plane.url)
      assert.deepEqual(token.audience, [AUDIENCES[cloud]])
      assert.equal(token.life, LIVES[cloud], cloud)
      assert.deepEqual(token.bound.pod, { name: 'all', uid: first })
      assert.deepEqual(token.bound.node, { name: node, uid: nodeUid })
      assert.deepEqual(token.bound.serviceaccount, { name: 'all', uid: accountUid })
    }
    const { jwt } = captured.last('google', 'all')!
    const good = await review(world, jwt, AUDIENCES.google)
    assert.equal(good.authenticated, true)
    assert.deepEqual(good.audiences, [AUDIENCES.google])
    assert.equal((await review(world, jwt, 'another')).authenticated, undefined)

    await using api = plane.withToken(await daemonToken(world))
    const request = (uid: string, seconds = 3_600) =>
      api.ask('POST', `/api/v1/namespaces/${namespace}/serviceaccounts/all/token`, {
        spec: {
          audiences: [AUDIENCES.google],
          expirationSeconds: seconds,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'all', uid },
        },
      })
    assert.equal((await request(first, 599)).status, 422)

    // A connection that lives on while its address changes hands, and one request after the other on it.
    using connection = keptAlive(daemon.host, IP)
    const tokenIs = async (uid: string) => {
      const answer = await connection.ask(TOKEN)
      found.operations++
      if (answer.status !== 200) return false
      const info = clouds.google.inspect(JSON.parse(answer.body).access_token)
      if (info?.identity !== identities.email) found.wrongIdentities++
      return captured.last('google', 'all')?.bound.pod?.uid === uid
    }
    await eventually(
      () => tokenIs(first),
      (it) => it,
    )

    await world.deletePod('all')
    await eventually(
      () => connection.ask(TOKEN),
      ({ status }) => status !== 200,
    )
    // Not the one that was looked at already: what the API server found good it finds good for 10 s.
    const unseen = captured.last('aws', 'all')!.jwt
    assert.match(await refusalOf(world, unseen, AUDIENCES.aws), /invalidated/)
    assert.equal((await request(first)).status, 404)
    const second = await world.createPod(pod)
    assert.equal((await request(first)).status, 409)
    const before = captured.all.length
    await eventually(
      () => tokenIs(second),
      (it) => it,
    )
    const later = captured.all.slice(before)
    found.wrongIdentities += later.filter(({ bound }) => bound.pod?.uid !== second).length

    await plane.admin.delete(`/api/v1/namespaces/${namespace}/serviceaccounts/all`)
    await eventually(
      () => connection.ask(TOKEN),
      ({ status }) => status !== 200,
    )
    const stale = captured.last('google', 'all')!.jwt
    assert.ok(await refusalOf(world, stale, AUDIENCES.google))
    await annotate(world)
    const made = await uidOf(world, 'serviceaccounts', 'all')
    assert.notEqual(made, accountUid)
    await eventually(
      async () =>
        (await tokenIs(second)) && captured.last('google', 'all')!.bound.serviceaccount?.uid === made,
      (it) => it,
    )
    // The ServiceAccount was made with one annotation after the other, and the daemon may not have heard of the last yet.
    await eventually(
      () => patientAnswer(daemon, IP, identities, 'aws'),
      (answer) => answer === identities.arn,
    )
    assert.equal(captured.last('aws', 'all')!.bound.serviceaccount?.uid, made)

    return {
      ...found,
      apiCalls: (await plane.audit.read()).length,
      note: `${captured.all.length} tokens with pod, node and ServiceAccount in their claims, each for one audience and as long as asked; none of a pod or ServiceAccount that was replaced`,
    }
  },
}

/** Makes the ServiceAccount, with an identity in each cloud and wishes for the tokens' lives. */
async function annotate(world: World): Promise<ThreeIdentities> {
  const identities = await threeIdentities(world, 'all', CLIENT_ID)
  await world.applyServiceAccount('all', {
    'iam.gke.io/gcp-service-account': identities.email,
    'eks.amazonaws.com/role-arn': identities.arn,
    'eks.amazonaws.com/token-expiration': String(LIVES.aws),
    'azure.workload.identity/client-id': identities.clientId,
    // Longer than the operator allows.
    'azure.workload.identity/service-account-token-expiration': '7200',
  })
  return identities
}

async function review({ plane: { admin } }: World, token: string, audience: string) {
  const spec = { token, audiences: [audience] }
  return (await admin.create('/apis/authentication.k8s.io/v1/tokenreviews', { spec })).status
}

/** Why a token is not good any more: the API server looks for its pod and its ServiceAccount in a cache, which is told of their end. */
async function refusalOf(world: World, token: string, audience: string): Promise<string> {
  const { error } = await eventually(
    () => review(world, token, audience),
    (status) => status.error !== undefined,
  )
  return error
}

async function uidOf({ plane: { admin }, namespace }: World, plural: string, name: string): Promise<string> {
  return (await admin.get(`/api/v1/namespaces/${namespace}/${plural}/${name}`)).metadata.uid
}
