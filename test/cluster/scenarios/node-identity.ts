import assert from 'node:assert/strict'
import { ask } from '../../support/ask.ts'
import { eventually } from '../../support/eventually.ts'
import { ApiError } from '../api-error.ts'
import { grantToNodes, nodeKubeconfig, takeFromNodes } from '../rights/as-node.ts'
import { AUDIENCES } from '../rights/audiences.ts'
import { componentManifests } from '../rights/component-manifests.ts'
import { operatorView } from '../rights/operator-view.ts'
import { patientAnswer } from '../rights/questions.ts'
import { serviceAccountToken } from '../rights/service-account-token.ts'
import { threeIdentities } from '../rights/three-identities.ts'
import type { Scenario } from '../scenario.ts'

const PLAIN = '127.0.24.1'
const MOUNTING = '127.0.24.2'
const CLOUDS = ['google', 'aws', 'azure'] as const

/** The daemon is its node's kubelet to the API server: Node authorizer, NodeRestriction, and no rights of its own. */
export const nodeIdentity: Scenario = {
  name: 'node-identity',
  async run(world) {
    const { plane, namespace } = world
    const whole = await threeIdentities(world, 'whole', '1a9707a0-4444-4c44-8000-000000000001')
    const pod = { serviceAccount: 'whole' }
    const uid = await world.createPod({ ...pod, name: 'plain', ip: PLAIN })
    const sources = [{ serviceAccountToken: { path: 'token', audience: AUDIENCES.google } }]
    const volumes = [{ name: 'token', projected: { sources } }]
    const mounting = await threeIdentities(world, 'mounting', '1a9707a0-4444-4c44-8000-000000000002')
    await world.createPod({ name: 'mounting', serviceAccount: 'mounting', ip: MOUNTING, spec: { volumes } })
    const daemon = await world.startDaemon({
      kubeconfig: await nodeKubeconfig(world),
      flags: { 'credentials.refusalTtl': '1s' },
    })

    // Nodes may get the ServiceAccounts of their pods, and ask for tokens for audiences that a pod mounts.
    assert.equal(await patientAnswer(daemon, PLAIN, whole, 'email'), whole.email)
    await eventually(
      // Another watch tells of the node than of its pods.
      () => patientAnswer(daemon, PLAIN, whole, 'zone'),
      (zone) => /europe-west1-b$/.test(zone ?? ''),
    )
    assert.equal(await patientAnswer(daemon, MOUNTING, mounting, 'google'), mounting.email)
    for (const cloud of CLOUDS)
      assert.match((await patientAnswer(daemon, PLAIN, whole, cloud)) ?? '', /operator of the cluster/)
    const limited = await eventually(
      () => operatorView(daemon),
      ({ ready }) => ready,
    )
    assert.deepEqual(limited.missing, ['watch serviceaccounts'])

    const manifests = await componentManifests(world.directory, 'gke-like', 'node-identity')
    assert.ok(
      !manifests.some(({ metadata: { name }, kind }) => kind === 'ClusterRole' && name === 'metadatad'),
    )
    await using granted = new AsyncDisposableStack()
    granted.defer(() => takeFromNodes(world, manifests))
    await grantToNodes(world, manifests)
    const right = { google: whole.email, aws: whole.arn, azure: whole.clientId }
    for (const cloud of CLOUDS)
      await eventually(
        () => patientAnswer(daemon, PLAIN, whole, cloud),
        (answer) => answer === right[cloud],
      )
    const authorization = await serviceAccountToken(plane.admin, namespace, 'whole', {
      audience: 'pods.eks.amazonaws.com',
      pod: { name: 'plain', uid },
    })
    const contained = await eventually(
      () => ask(daemon.containerHost, '/v1/credentials', { ip: PLAIN, headers: { authorization } }),
      ({ status }) => status !== 503,
    )
    assert.equal(contained.status, 200)
    await eventually(
      () => operatorView(daemon),
      ({ missing }) => missing.length === 0,
    )

    // What the certificate is worth elsewhere.
    await world.addNode('node-elsewhere')
    const elsewhere = await world.createPod({ ...pod, name: 'elsewhere', node: 'node-elsewhere' })
    await using node = await plane.as(`system:node:${world.node}`, ['system:nodes'])
    const audience = AUDIENCES.google
    const theirs = { audience, pod: { name: 'elsewhere', uid: elsewhere } }
    const status = await eventually(
      () =>
        serviceAccountToken(node, namespace, 'whole', theirs).then(
          () => 201,
          (err: unknown) => (err instanceof ApiError ? err.status : Promise.reject(err)),
        ),
      // NodeRestriction has not heard of the pod yet.
      (it) => it !== 404,
    )
    assert.equal(status, 403)
    return {
      operations: 2 * CLOUDS.length + 5,
      failures: 0,
      wrongIdentities: 0,
      apiCalls: undefined,
      note: `with a kubelet's certificate: audiences that a pod mounts at once, others by request-serviceaccounts-token-audience; ServiceAccounts by get, then by watch; no token of another node's pod`,
    }
  },
}
