import { setTimeout as pause } from 'node:timers/promises'
import type { MemoryHost } from '../../caller/proof/memory-host.ts'
import { seededRandom } from '../../history/random.ts'
import type { ClusterDaemon } from '../start-daemon-in.ts'
import type { World } from '../world.ts'
import type { Accounts } from './accounts.ts'
import { Addresses } from './addresses.ts'
import { askAsPod } from './ask-as-pod.ts'
import { clusterOwner } from './cluster-owner.ts'
import { ObtainedCredentials } from './obtained-credentials.ts'
import { type Ending, type LifeOptions, PodLife, type Reuse } from './pod-life.ts'
import { PodObjects } from './pod-objects.ts'
import { newTally, type Tally } from './tally.ts'

/** What to do. */
export interface ChurnOptions {
  readonly world: World
  readonly daemon: ClusterDaemon
  readonly accounts: Accounts
  /** What the daemon takes for its host. */
  readonly kernel: MemoryHost
  readonly reuse: Reuse
  readonly lifecycles: number
  /** Pods a second that are bound to the node, evenly. */
  readonly perSecond: number
  /** Where the machine does not keep up, pods wait to be bound. */
  readonly atATime: number
  readonly seed: number
  /** Names and addresses are this churn's alone: `127.0.SUBNET.x`. */
  readonly subnet: number
  /** Told every 10 s. */
  readonly say: (line: string) => void
}

const ADDRESSES = 64
/** What a machine that was busy is late by is not made up for by a burst. */
const CATCH_UP_MS = 50
const ANNOTATED_MS = 1_000
const REAPED_MS = 1_500
const SAID_MS = 10_000
const ENDINGS: readonly Ending[] = [
  ...Array<Ending>(5).fill('graceful'),
  ...Array<Ending>(11).fill('forced'),
  ...Array<Ending>(3).fill('completed'),
  'evicted',
]

/** Lets pods live and die on one node, as many at a time as a node runs, while each asks who it is. */
export async function runChurn(options: ChurnOptions): Promise<Tally> {
  const { world, daemon, accounts, kernel, reuse, lifecycles, perSecond, atATime, seed, subnet } = options
  const random = seededRandom(seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  const tally = newTally()
  await using api = await clusterOwner(world)
  const pods = new PodObjects(api, world.namespace)
  const obtained = new ObtainedCredentials(daemon.logged)
  const life: LifeOptions = {
    pods,
    kernel,
    addresses: new Addresses(Array.from({ length: ADDRESSES }, (_, i) => `127.0.${subnet}.${i + 1}`)),
    reuse,
    host: daemon.host,
    random,
    runProcess: (pod) => askAsPod(pod, { clouds: world.clouds, obtained, random, tally }),
  }
  /** Of pods that are gone: the next one to come takes it. */
  const names: string[] = []
  const telling = new Set<Promise<void>>()
  const over = new AbortController()
  const failed = Promise.withResolvers<never>()
  const live = async (name: string) => {
    const account = pick(accounts.all)
    const ending = pick(ENDINGS)
    const object = await pods.create({ name, node: world.node, serviceAccount: account.name })
    const pod = new PodLife(life, object, account)
    await pod.run(ending)
    tally.lifecycles++
    const told = pod.told.then(() => {
      telling.delete(told)
      if (ending === 'graceful' || ending === 'forced') names.push(name)
    })
    told.catch(failed.reject)
    telling.add(told)
  }
  const bindAll = async () => {
    const living = new Set<Promise<void>>()
    let due = performance.now()
    for (let begun = 0; begun < lifecycles && !over.signal.aborted; begun++) {
      due = Math.max(due + 1_000 / perSecond, performance.now() - CATCH_UP_MS)
      await pause(Math.max(0, due - performance.now()))
      while (living.size >= atATime) await Promise.race(living)
      // Told late, but not without bound.
      while (telling.size > atATime) await Promise.race(telling)
      const lived = live(names.pop() ?? `churn-${subnet}-${begun}`).then(() => {
        living.delete(lived)
      })
      lived.catch(failed.reject)
      living.add(lived)
    }
    await Promise.all(living)
  }

  const startedAt = performance.now()
  const meanwhile = [
    every(ANNOTATED_MS, over.signal, async () => {
      await accounts.change(random)
      tally.annotationChanges++
    }),
    every(REAPED_MS, over.signal, () => pods.reap()),
    every(SAID_MS, over.signal, async () => {
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0)
      options.say(`  ${tally.lifecycles} of ${lifecycles} lifecycles, ${seconds} s`)
    }),
  ]
  try {
    const all = bindAll().then(() => Promise.all(telling))
    await Promise.race([all, failed.promise, ...meanwhile])
  } finally {
    over.abort()
    await Promise.allSettled(meanwhile)
  }
  await pods.reap()
  return tally
}

/** Does something again and again, with pauses, until the signal; rejects if it fails. */
async function every(ms: number, signal: AbortSignal, act: () => Promise<void>): Promise<void> {
  for (;;) {
    await pause(ms, undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    await act()
  }
}
