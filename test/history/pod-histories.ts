import { ask } from '../support/ask.ts'
import type { Metadatad } from '../support/start-metadatad.ts'
import { accountName, applyAccounts, NAMESPACE } from './accounts.ts'
import { AddressHistory } from './address-history.ts'
import { startFaults } from './faults.ts'
import { seededRandom } from './random.ts'
import { type ClientMemory, type CloudName, whoAmI } from './who-am-i.ts'

/** Of each cloud. */
export type Counts = Readonly<Record<CloudName, number>>

/** What to generate. */
export interface HistoryOptions {
  /** Pods to live and die in all. */
  readonly pods: number
  /** Requests to be answered by each cloud: more pods live and die until they are, because a starved machine answers fewer in time. */
  readonly answered?: Counts
  readonly seed: number
  /** Watch outages, late and reordered events, compactions, API outages. */
  readonly faults: boolean
  /** Called about once a second. */
  readonly progress?: (done: number) => void
}

/** What came of it. */
export interface HistoryResult {
  readonly pods: number
  readonly requests: number
  /** Answered with an identity, by each cloud. */
  readonly answered: Counts
  /** Refused for the time being (503), or because a pod was gone. */
  readonly refused: number
  /** Answered with an identity that the address did not have at any moment from the request to its answer. */
  readonly wrong: readonly string[]
  /** Anything else: statuses other than 200 and 503, broken connections. */
  readonly failed: readonly string[]
}

interface LivingPod {
  readonly name: string
  readonly uid: string
  readonly account: string
  owning: boolean
  state: 'pending' | 'running' | 'ended' | 'terminating'
}

interface Slot {
  readonly ip: string
  readonly history: AddressHistory<LivingPod>
  readonly pods: LivingPod[]
  readonly memory: ClientMemory
}

const ADDRESSES = 64
const SERVICE_ACCOUNTS = 24
const REQUESTS_UNDER_WAY = 768

/**
 * Lets generated pods live and die on few addresses (`127.0.2.x`) that are used again at once, while clients ask from
 * those addresses three clouds who they are, and compares every answer with what the API server's own state gave the address to.
 */
export async function runHistories(metadatad: Metadatad, options: HistoryOptions): Promise<HistoryResult> {
  const { sandbox, host } = metadatad
  const random = seededRandom(options.seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  const api = sandbox.kubernetes
  applyAccounts(sandbox, SERVICE_ACCOUNTS)
  const slots: Slot[] = Array.from({ length: ADDRESSES }, (_, i) => ({
    ip: `127.0.2.${i + 1}`,
    history: new AddressHistory(),
    pods: [],
    memory: { sessionToken: undefined },
  }))

  let step = 0
  let created = 0
  const counts = { requests: 0, answered: { google: 0, aws: 0, azure: 0 }, refused: 0 }
  const wrong: string[] = []
  const failed: string[] = []
  const underWay = new Set<Promise<void>>()

  const goesOn = () => created < options.pods || isShort(counts.answered, options.answered)

  function create(slot: Slot): void {
    const taken = new Set(slot.pods.map((pod) => pod.account))
    const accounts = Array.from({ length: SERVICE_ACCOUNTS }, (_, n) => accountName(n))
    const account = pick(accounts.filter((name) => !taken.has(name)))
    const name = `pod-${created++}`
    const hasAddress = random() < 0.5
    const uid = api.createPod({
      namespace: NAMESPACE,
      name,
      serviceAccountName: account,
      nodeName: 'node-1',
      phase: hasAddress ? 'Running' : 'Pending',
      ...(hasAddress ? { ips: [slot.ip] } : {}),
    })
    const pod: LivingPod = { name, uid, account, owning: false, state: 'pending' }
    slot.pods.push(pod)
    if (hasAddress) run(slot, pod)
  }

  function run(slot: Slot, pod: LivingPod): void {
    pod.state = 'running'
    own(slot, pod, true)
  }

  function own(slot: Slot, pod: LivingPod, owning: boolean): void {
    if (pod.owning === owning) return
    pod.owning = owning
    if (owning) slot.history.own(pod, step)
    else slot.history.disown(pod, step)
  }

  function remove(slot: Slot, pod: LivingPod): void {
    api.removePod(NAMESPACE, pod.name)
    own(slot, pod, false)
    slot.pods.splice(slot.pods.indexOf(pod), 1)
  }

  /** One thing that happens to one pod of the slot, or to the slot. */
  function change(slot: Slot): void {
    step++
    const live = slot.pods.filter((pod) => pod.state === 'pending' || pod.owning)
    // Now and then an address is given away before its last owner is gone in the API server's eyes.
    const vacant = live.length === 0 || (live.length === 1 && random() < 0.08)
    if (vacant && goesOn()) create(slot)
    else if (slot.pods.length > 0) age(slot, pick(slot.pods))
  }

  /** The next thing in a pod's life. */
  function age(slot: Slot, pod: LivingPod): void {
    switch (pod.state) {
      case 'pending':
        api.updatePod(NAMESPACE, pod.name, { ips: [slot.ip], phase: 'Running' })
        run(slot, pod)
        break
      case 'running':
        if (random() < 0.25) {
          pod.state = 'ended'
          api.updatePod(NAMESPACE, pod.name, { phase: pick(['Succeeded', 'Failed']) })
          own(slot, pod, false)
        } else if (random() < 0.5) {
          remove(slot, pod)
        } else {
          pod.state = 'terminating'
          api.deletePod(NAMESPACE, pod.name)
        }
        break
      case 'terminating':
        if (pod.owning && random() < 0.5) {
          api.updatePod(NAMESPACE, pod.name, { sandboxReady: false })
          own(slot, pod, false)
        } else {
          remove(slot, pod)
        }
        break
      case 'ended':
        remove(slot, pod)
    }
  }

  /** Asks who the address is. */
  async function request(slot: Slot): Promise<void> {
    counts.requests++
    const from = step
    try {
      const told = await whoAmI(
        ({ path, ...more }) => ask(host, path, { ip: slot.ip, ...more }),
        slot.memory,
        sandbox,
        random,
      )
      if (told.kind === 'refused') counts.refused++
      else if (told.kind === 'failed') failed.push(told.what)
      else {
        counts.answered[told.cloud]++
        const { account, podUid } = told
        const isOf = (pod: LivingPod) => pod.account === account && pod.uid === (podUid ?? pod.uid)
        if (!slot.history.hadSole(isOf, from)) {
          wrong.push(`${slot.ip} was answered as ${account} (pod ${podUid}) at step ${step}`)
        }
      }
    } catch (error) {
      failed.push(String(error))
    }
  }

  function send(slot: Slot): void {
    const going = request(slot).finally(() => underWay.delete(going))
    underWay.add(going)
  }

  const stopFaults = options.faults ? startFaults(api, random) : () => {}
  let toldAt = performance.now()
  while (goesOn()) {
    for (let i = 0; i < 4; i++) change(pick(slots))
    const owned = slots.filter((slot) => slot.pods.some((pod) => pod.owning))
    send(pick(owned.length > 0 && random() < 0.9 ? owned : slots))
    // Requests, watches and answers all go through this event loop: let them.
    await new Promise((resolve) => setImmediate(resolve))
    if (underWay.size >= REQUESTS_UNDER_WAY) await Promise.race(underWay)
    if (underWay.size === 0) for (const slot of slots) slot.history.forget(step)
    if (performance.now() - toldAt > 1_000) {
      toldAt = performance.now()
      options.progress?.(created)
    }
  }
  stopFaults()
  await Promise.all(underWay)
  return { pods: created, ...counts, wrong, failed }
}

/** Are there fewer than wanted of any cloud? */
export function isShort(answered: Counts, wanted: Counts | undefined): boolean {
  const clouds = ['google', 'aws', 'azure'] as const
  return wanted !== undefined && clouds.some((cloud) => answered[cloud] < wanted[cloud])
}
