import { setTimeout } from 'node:timers/promises'
import { eventually } from '../../support/eventually.ts'
import type { ApiAnswer } from '../api.ts'
import type { World } from '../world.ts'

/** What the daemon waits for before it believes a refusal. */
const SECOND_LOOK_MS = 300

/** A pod, as requests name it. */
interface Named {
  readonly name: string
  readonly uid: string
}

/** How often a policy was asked before its cache had the pod. */
export interface Race {
  /** Requests for a pod of another node that was made a moment ago, and were answered with a token. */
  readonly slipped: number
  /** Milliseconds from the pod's creation to the first refusal, at the longest. */
  readonly longestMs: number
  /** Requests for a pod that was bound to the daemon's node a moment ago, and were refused. */
  readonly refused: number
  /** Those of them that were refused once more when they were made again, as the daemon does. */
  readonly refusedTwice: number
}

/**
 * Asks for tokens of pods of another node, and of pods of the daemon's own, as soon as the API server has said that it made or bound
 * them.
 *
 * @param ask asks as the daemon
 */
export async function informerRace(
  world: World,
  {
    elsewhere,
    serviceAccount,
    ask,
    tries,
  }: {
    readonly elsewhere: string
    readonly serviceAccount: string
    readonly ask: (pod: Named) => Promise<ApiAnswer>
    readonly tries: number
  },
): Promise<Race> {
  const { namespace, node, plane } = world
  const pods = `/api/v1/namespaces/${namespace}/pods`
  let [slipped, refused, refusedTwice, longestMs] = [0, 0, 0, 0]
  for (let i = 0; i < tries; i++) {
    const name = `race-${i}`
    const uid = await world.createPod({ name, serviceAccount, node: elsewhere })
    const madeAt = performance.now()
    if ((await ask({ name, uid })).status === 201) {
      slipped++
      while ((await ask({ name, uid })).status === 201);
      longestMs = Math.max(longestMs, performance.now() - madeAt)
    }
    await world.deletePod(name)

    const pending = { containers: [{ name: 'main', image: 'none' }], serviceAccountName: serviceAccount }
    const own = await plane.admin.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: pending,
    })
    await plane.admin.create(`${pods}/${name}/binding`, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name },
      target: { apiVersion: 'v1', kind: 'Node', name: node },
    })
    const bound = { name, uid: own.metadata.uid }
    if ((await ask(bound)).status !== 201) {
      refused++
      await setTimeout(SECOND_LOOK_MS)
      if ((await ask(bound)).status !== 201) refusedTwice++
      await eventually(
        () => ask(bound),
        ({ status }) => status === 201,
      )
    }
    await world.deletePod(name)
  }
  return { slipped, longestMs, refused, refusedTwice }
}
