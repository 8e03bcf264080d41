import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { eventually } from '../../support/eventually.ts'
import { askPatiently, EMAIL } from '../../support/pod-questions.ts'
import type { AuditedRequest } from '../audit-log.ts'
import { ControlPlane } from '../control-plane.ts'
import { type Reflection, reflect } from '../reflect.ts'
import { operatorView } from '../rights/operator-view.ts'
import type { Scenario } from '../scenario.ts'
import { DAEMON, Suite } from '../suite.ts'
import { World } from '../world.ts'

const IP = '127.0.20.1'
/** More than one page of 500. */
const SERVICE_ACCOUNTS = 520
/** The API server sends a bookmark 2 s before the end of a watch. */
const SHORT_WATCH = { timeoutSeconds: '3' }
const RESOURCES = ['nodes', 'pods', 'serviceaccounts'] as const

/** Streaming lists where the API server has them, pages where it has not, and bookmarks. */
export const watchLists: Scenario = {
  name: 'watch-lists',
  async run(world) {
    await world.plane.audit.read()
    const [streamed, bookmarks, paged] = await Promise.all([
      listByWatch(world),
      hearBookmarks(world),
      fallBack(world),
    ])
    return {
      operations: 3 * RESOURCES.length,
      failures: 0,
      wrongIdentities: 0,
      apiCalls: streamed + paged,
      note: `a start in ${streamed} calls with streaming lists, in ${paged} with pages (--feature-gates=WatchList=false, ${SERVICE_ACCOUNTS} ServiceAccounts); ${bookmarks} bookmarks`,
    }
  },
}

/** Starts the daemon; returns how many requests it made until it was ready, the pods' tokens left out. */
async function listByWatch(world: World): Promise<number> {
  const calls = await start(world)
  for (const resource of RESOURCES) {
    const ours = calls.filter((call) => call.resource === resource)
    assert.deepEqual(
      ours.map(({ verb }) => verb),
      ['watch'],
      `${resource}: one watch is all`,
    )
    assert.match(ours[0]!.uri, /sendInitialEvents=true/)
    assert.match(ours[0]!.uri, /allowWatchBookmarks=true/)
  }
  const uri = (of: string) => calls.find(({ resource }) => resource === of)!.uri
  assert.match(uri('pods'), new RegExp(`fieldSelector=spec.nodeName%3D${world.node}&`))
  assert.match(uri('nodes'), new RegExp(`fieldSelector=metadata.name%3D${world.node}&`))
  return calls.length
}

/** In a cluster of its own, whose API server knows no streaming lists. */
async function fallBack(world: World): Promise<number> {
  const directory = join(world.directory, 'paged')
  await mkdir(directory)
  const { ca } = world.plane
  await using plane = await ControlPlane.start({
    directory: join(directory, 'control-plane'),
    programs: world.programs,
    ca,
    audited: [DAEMON],
    apiServerFlags: ['--feature-gates=WatchList=false'],
  })
  await Suite.prepare(plane)
  await using paged = await World.create({ ...world, name: 'paged', plane, directory })
  await Promise.all(
    Array.from({ length: SERVICE_ACCOUNTS }, (_, i) =>
      plane.admin.create('/api/v1/namespaces/paged/serviceaccounts', {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: `unused-${i}` },
      }),
    ),
  )
  const calls = await start(paged)
  const said = (of: string) =>
    calls
      .filter(({ resource }) => resource === of)
      .map(({ verb, uri, status }) => {
        const query = new URL(uri, 'https://any').searchParams
        const how = ['sendInitialEvents', 'limit', 'continue', 'resourceVersion'].filter((it) =>
          query.has(it),
        )
        return `${verb} ${how.join('+')} ${status}`
      })
  const onePage = ['list limit 200', 'watch resourceVersion 200']
  const twoPages = ['list limit 200', 'list limit+continue 200', 'watch resourceVersion 200']
  for (const resource of ['pods', 'nodes']) assert.deepEqual(said(resource).slice(1), onePage)
  assert.deepEqual(said('serviceaccounts').slice(1), twoPages)
  for (const resource of RESOURCES) assert.match(said(resource)[0]!, /^\w+ sendInitialEvents \d+$/)
  return calls.length
}

async function start(world: World): Promise<AuditedRequest[]> {
  const email = await world.googleServiceAccount('caller')
  await world.createPod({ name: 'caller', serviceAccount: 'caller', ip: IP })
  await using daemon = await world.startDaemon()
  // A pod that asks earlier makes the daemon read the pods live.
  await eventually(
    () => operatorView(daemon),
    ({ ready }) => ready,
  )
  assert.equal((await askPatiently(daemon, IP, EMAIL)).body, email)
  const calls: AuditedRequest[] = []
  await eventually(
    async () => calls.push(...(await world.plane.audit.read())),
    () => RESOURCES.every((of) => calls.some(({ resource, verb }) => resource === of && verb === 'watch')),
  )
  return calls.filter(({ resource }) => RESOURCES.some((it) => it === resource))
}

/** By the daemon's reflector alone, with watches short enough to be waited for: what a bookmark confirms without any event. */
async function hearBookmarks(world: World): Promise<number> {
  const kubeconfig = join(world.directory, 'kubeconfig')
  await writeFile(kubeconfig, await world.plane.kubeconfig('someone', ['system:masters']))
  await world.plane.admin.apply({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'whole', namespace: world.namespace },
    automountServiceAccountToken: false,
  })
  await world.createPod({ name: 'elsewhere', node: 'elsewhere', serviceAccount: 'whole' })
  const path = `/api/v1/namespaces/${world.namespace}/pods`
  await using pods = await reflect({
    kubeconfig,
    resource: 'pods',
    fieldSelector: 'spec.nodeName=nowhere',
    query: (query) => ({ ...query, ...SHORT_WATCH }),
  })
  await using accounts = await reflect({ kubeconfig, resource: 'serviceaccounts', metadataOnly: true })
  const { signal } = new AbortController()
  await Promise.all([pods, accounts].map(({ reflector }) => reflector.whenSynced(signal)))
  // On a machine that is starved the first list may not be complete before the short watch is over.
  const before = await unexpectedRestarts(pods)
  const whole = accounts.objects.get(`${world.namespace}/whole`)
  assert.equal(whole?.kind, 'PartialObjectMetadata')
  assert.equal(whole?.automountServiceAccountToken, undefined)

  const heard = [pods.reflector.confirmedAt]
  for (let write = 0; heard.length < 3; write++) {
    // To a watch that saw its last version already no bookmark is sent.
    await world.plane.admin.merge(`${path}/elsewhere`, { metadata: { labels: { write: String(write) } } })
    const { confirmedAt } = pods.reflector
    if (confirmedAt > heard.at(-1)!) heard.push(confirmedAt)
    else await setTimeout(100)
  }
  assert.equal(pods.objects.size, 0, 'no event')
  assert.equal(await unexpectedRestarts(pods), before)
  return heard.length - 1
}

/** How many watches ended otherwise than by the server's own wish. */
async function unexpectedRestarts({ metrics }: Reflection): Promise<number> {
  const { values } = await metrics.watchRestarts.get()
  return values.filter(({ labels }) => labels.reason !== 'closed').reduce((sum, { value }) => sum + value, 0)
}
