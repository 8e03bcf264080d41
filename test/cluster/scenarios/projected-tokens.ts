import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from '../../support/eventually.ts'
import type { Api } from '../api.ts'
import { ApiError } from '../api-error.ts'
import { AUDIENCES } from '../rights/audiences.ts'
import { componentManifests } from '../rights/component-manifests.ts'
import { writeKubeletVolume } from '../rights/kubelet-volume.ts'
import { LimitedUser } from '../rights/limited-user.ts'
import { manifestRights } from '../rights/manifest-rights.ts'
import { operatorView } from '../rights/operator-view.ts'
import { patientAnswer, question } from '../rights/questions.ts'
import { serviceAccountToken } from '../rights/service-account-token.ts'
import { threeIdentities } from '../rights/three-identities.ts'
import type { Scenario } from '../scenario.ts'
import type { World } from '../world.ts'

const MOUNTING = '127.0.23.1'
const OTHER = '127.0.23.2'
const CLOUDS = ['google', 'aws', 'azure'] as const

/** With no right to create tokens, by those that the kubelet has for pods that mount them. */
export const projectedTokens: Scenario = {
  name: 'projected-tokens',
  async run(world) {
    const { plane } = world
    const rights = manifestRights(await componentManifests(world.directory, 'gke-like', 'projected'))
    const removed = manifestRights().filter((right) => !rights.includes(right))
    assert.deepEqual(removed, ['create serviceaccounts/token'])
    await using user = await LimitedUser.create(plane, 'without-tokens', rights)

    const whole = await threeIdentities(world, 'mounting', '1a9707a0-3333-4c33-8000-000000000001')
    const uid = await world.createPod({
      name: 'mounting',
      serviceAccount: 'mounting',
      ip: MOUNTING,
      spec: { volumes: [tokenVolume()] },
    })
    const other = await threeIdentities(world, 'other', '1a9707a0-3333-4c33-8000-000000000002')
    await world.createPod({ name: 'other', serviceAccount: 'other', ip: OTHER })
    const kubeletRoot = join(world.directory, 'kubelet')
    await mkdir(kubeletRoot)
    const daemon = await world.startDaemon({
      kubeconfig: user.kubeconfig,
      flags: { 'subjectToken.source': 'projected', 'subjectToken.kubeletRoot': kubeletRoot },
    })

    // The kubelet starts containers once the volume is there; what asks before is told to try again.
    await eventually(
      () => question(daemon, MOUNTING, whole, 'email'),
      ({ status }) => status === 200,
    )
    assert.equal((await question(daemon, MOUNTING, whole, 'google')).status, 503)
    await using kubelet = await plane.as(`system:node:${world.node}`, ['system:nodes'])
    await writeKubeletVolume(kubeletRoot, uid, 'tokens', await mint(world, kubelet, uid))
    const right = { google: whole.email, aws: whole.arn, azure: whole.clientId }
    for (const cloud of CLOUDS)
      assert.equal(await patientAnswer(daemon, MOUNTING, whole, cloud), right[cloud])
    for (const cloud of CLOUDS)
      assert.match(
        (await patientAnswer(daemon, OTHER, other, cloud)) ?? '',
        /mounts no service account token/,
      )

    // Pods are answered by reads one by one before the watches are there.
    const { ready, missing, warnings } = await eventually(
      () => operatorView(daemon),
      (view) => view.ready,
    )
    assert.deepEqual({ ready, missing, warnings }, { ready: true, missing: [], warnings: [] })
    return {
      operations: 2 * CLOUDS.length,
      failures: 0,
      wrongIdentities: 0,
      apiCalls: undefined,
      note: `three clouds by projected tokens, with the rights of the component projected (no ${removed}); a pod that mounts none is told so`,
    }
  },
}

function tokenVolume() {
  const sources = CLOUDS.map((path) => ({
    serviceAccountToken: { path, audience: AUDIENCES[path], expirationSeconds: 3_600 },
  }))
  return { name: 'tokens', projected: { sources } }
}

/** What the kubelet asks for: for the audiences that the pod's own spec names, a node may. */
async function mint({ namespace }: World, kubelet: Api, uid: string): Promise<Record<string, string>> {
  const pod = { name: 'mounting', uid }
  const tokens = CLOUDS.map(async (cloud) => {
    const audience = AUDIENCES[cloud]
    const token = await eventually(
      () => serviceAccountToken(kubelet, namespace, 'mounting', { audience, pod }).catch(unlessUnheard),
      (it) => it !== undefined,
    )
    return [cloud, token!] as const
  })
  return Object.fromEntries(await Promise.all(tokens))
}

/** The Node authorizer and NodeRestriction hear of a pod by watches of their own, and know nothing of it before. */
function unlessUnheard(err: unknown): undefined {
  if (err instanceof ApiError && /no relationship found|not found/.test(err.message)) return undefined
  throw err
}
