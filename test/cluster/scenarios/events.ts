import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { ask } from '../../support/ask.ts'
import { eventually } from '../../support/eventually.ts'
import type { KubeObject } from '../api.ts'
import { describePods } from '../events/describe-pods.ts'
import { describedEvents } from '../events/described-events.ts'
import { MISCONFIGURED_PODS, type MisconfiguredPod, SHOP } from '../events/misconfigured-pods.ts'
import { LimitedUser } from '../rights/limited-user.ts'
import { manifestRights } from '../rights/manifest-rights.ts'
import type { Scenario } from '../scenario.ts'
import type { ClusterDaemon } from '../start-daemon-in.ts'
import type { World } from '../world.ts'

/** Of each kind. */
const REQUESTS = 200
const AT_A_TIME = 10
/** Of one Event: at once, after 5 s, 10 s, 20 s, 40 s. The scenario takes less. */
const MAX_WRITES = 5
/** What a cluster's own issuer is in the documentation. */
const ISSUER = 'https://issuer.example.com'

const typo = MISCONFIGURED_PODS.find(({ name }) => name === 'typo')!
const cart = MISCONFIGURED_PODS.find(({ name }) => name === 'cart')!
const GONE = { ...typo, name: 'gone', ip: '127.0.70.21' }
const NO_TOKEN = { ...cart, name: 'no-token', ip: '127.0.70.23', reasons: ['SubjectTokenRefused'] }

/** Whoever has to mend something is told by an Event of the pod, which repetitions raise the count of. */
export const events: Scenario = {
  name: 'events',
  async run(world) {
    const { plane, node } = world
    const endingNamespace = `${world.namespace}-ending`
    const ending = { ...typo, name: 'ending', ip: '127.0.70.22', namespace: endingNamespace }
    for (const name of [SHOP, endingNamespace])
      await plane.admin.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    // Of a try before this one: the documentation shows one namespace only.
    for (const plural of ['pods', 'events'])
      await plane.admin.delete(`/api/v1/namespaces/${SHOP}/${plural}`, 0)
    const otherNode = `${node}-no-token`
    await world.addNode(otherNode)
    const pods = [...MISCONFIGURED_PODS, GONE, ending]
    const uids = await Promise.all(pods.map((pod) => create(world, pod, node)))
    const otherUid = await create(world, NO_TOKEN, otherNode)
    // Terminating it stays: this cluster has no controller-manager.
    await plane.admin.delete(`/api/v1/namespaces/${endingNamespace}`)
    const rights = manifestRights().filter((right) => right !== 'create serviceaccounts/token')
    await using limited = await LimitedUser.create(plane, 'events-no-token', rights)
    await plane.audit.read()

    const flags = { 'credentials.prefetch': 'false' }
    const config = `rules: [{namespace: ${SHOP}, serviceAccount: thief, allow: false}, {allow: true}]\n`
    const daemon = await world.startDaemon({ config, flags })
    const other = await world.startDaemon({ kubeconfig: limited.kubeconfig, node: otherNode, flags })
    const answered = await Promise.all([...pods.map((pod) => insist(daemon, pod)), insist(other, NO_TOKEN)])

    await eventually(
      () => eventsOf(world, GONE),
      (events) => events.length === 1,
    )
    await world.deletePod(GONE.name, 0, SHOP)
    for (const [i, pod] of [...MISCONFIGURED_PODS, NO_TOKEN].entries()) {
      const told = await whenCounted(world, pod)
      const uid = pod === NO_TOKEN ? otherUid : uids[i]
      for (const event of told) assertAbout(event, pod, uid, pod === NO_TOKEN ? otherNode : node)
    }
    // The Event of a pod that was deleted meanwhile goes on.
    await whenCounted(world, GONE)

    const described = await describePods(world, SHOP)
    if (described !== undefined) {
      const documented = await readFile(new URL('../../../docs/events.md', import.meta.url), 'utf8')
      const said = described.replaceAll(plane.url, ISSUER)
      assert.deepEqual(describedEvents(said), describedEvents(documented), `docs/events.md, and\n${said}`)
    }

    await daemon[Symbol.asyncDispose]()
    await goesOn(world, await world.startDaemon({ config, flags }))

    const calls = await plane.audit.read()
    const about = calls.filter(({ resource }) => resource === 'events')
    const writes = (namespace: string, verb: string) =>
      about.filter((call) => call.namespace === namespace && call.verb === verb).map(({ status }) => status)
    const told = pods.filter(({ namespace }) => namespace === SHOP).flatMap(({ reasons }) => reasons).length
    assert.deepEqual(writes(SHOP, 'create'), [...Array(told).fill(201), 409])
    const patches = writes(SHOP, 'patch')
    assert.ok(
      patches.length < told * MAX_WRITES && patches.every((status) => status === 200),
      String(patches),
    )
    assert.deepEqual(
      writes(endingNamespace, 'create'),
      [403],
      'a namespace that is being deleted is not insisted on',
    )
    assert.deepEqual(writes(endingNamespace, 'patch'), [])
    return {
      operations: answered.reduce((sum, { asked }) => sum + asked, 0),
      failures: answered.reduce((sum, { failed }) => sum + failed.length, 0),
      wrongIdentities: 0,
      apiCalls: calls.length,
      note: `requests of ${pods.length + 1} pods that somebody has to mend: ${told + 1} Events, each created once, ${patches.length} patches; ${
        described === undefined
          ? 'not compared with docs/events.md, because kubectl is not installed'
          : 'as docs/events.md has them'
      }; ${answered.flatMap(({ failed }) => failed)[0] ?? 'none got credentials'}`,
    }
  },
}

async function create(world: World, pod: MisconfiguredPod, node: string): Promise<string> {
  const { name, namespace, ip, annotations } = pod
  await world.applyServiceAccount(name, annotations, namespace)
  return world.createPod({ name, namespace, ip, node, serviceAccount: name })
}

/** A daemon that was started anew writes on in the Event that is there. */
async function goesOn(world: World, daemon: ClusterDaemon): Promise<void> {
  const before = await eventsOf(world, typo)
  await insist(daemon, typo, 1)
  const after = await eventually(
    () => eventsOf(world, typo),
    ([event]) => event.lastTimestamp !== before[0].lastTimestamp,
  )
  assert.deepEqual(
    after.map(({ metadata }) => metadata.uid),
    before.map(({ metadata }) => metadata.uid),
  )
}

/** Asks as a program does that never gives up. */
async function insist(daemon: ClusterDaemon, { ip, asks }: MisconfiguredPod, requests = REQUESTS) {
  const failed: string[] = []
  let asked = 0
  let left = requests
  const once = async (path: string) => {
    const headers: Record<string, string> = path.startsWith('/computeMetadata')
      ? {}
      : { 'Metadata-Flavor': '', Metadata: 'true' }
    const { status, body } = await eventually(
      () => ask(daemon.host, path, { ip, headers }),
      (answer) => answer.status !== 503,
    )
    asked++
    // A role's refusal is a document that says so.
    const refused = status === 200 ? JSON.parse(body).Code !== 'Success' : status >= 400 && status < 500
    if (!refused) failed.push(`${path}: ${status} ${body}`)
  }
  const worker = async () => {
    while (left-- > 0) for (const path of asks) await once(path)
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, worker))
  return { asked, failed }
}

/** The Events of a pod once there is one for each reason, and those that every request gives rise to count every request. */
function whenCounted(world: World, pod: MisconfiguredPod): Promise<KubeObject[]> {
  return eventually(
    () => eventsOf(world, pod),
    (events) =>
      events.length >= pod.reasons.length &&
      events.every(({ reason, count }) => !reason.startsWith('Identity') || count >= REQUESTS),
  )
}

async function eventsOf({ plane }: World, { name, namespace }: MisconfiguredPod): Promise<KubeObject[]> {
  const query = new URLSearchParams({ fieldSelector: `involvedObject.name=${name}` })
  return (await plane.admin.get(`/api/v1/namespaces/${namespace}/events?${query}`)).items
}

function assertAbout(event: KubeObject, pod: MisconfiguredPod, uid: string | undefined, node: string): void {
  assert.ok(pod.reasons.includes(event.reason), event.reason)
  assert.equal(event.type, 'Warning')
  assert.deepEqual(event.source, { component: 'metadatad', host: node })
  const { kind, namespace, name } = event.involvedObject
  assert.deepEqual([kind, namespace, name, event.involvedObject.uid], ['Pod', pod.namespace, pod.name, uid])
  // Of JSON Web Tokens, and of the other pods' ServiceAccounts.
  assert.doesNotMatch(event.message, /eyJ|system:serviceaccount:(?!shop:)/)
}
