import { request as httpRequest } from 'node:http'
import type { MemoryHost, MemoryProcess } from '../caller/proof/memory-host.ts'
import { MemoryNamespace, type MemorySocket } from '../caller/proof/memory-host.ts'
import type { Metadatad } from '../support/start-metadatad.ts'
import { accountName, applyAccounts, NAMESPACE } from './accounts.ts'
import { startFaults } from './faults.ts'
import { type HistoryOptions, type HistoryResult, isShort } from './pod-histories.ts'
import { seededRandom } from './random.ts'
import { type ClientMemory, type Question, whoAmI } from './who-am-i.ts'

interface LivingPod {
  readonly name: string
  readonly uid: string
  readonly account: string
  /** What the kernel has of it; undefined before its sandbox, and after. */
  sandbox: MemoryProcess | undefined
  ip: string
  /** The step at which the API server hears of what happened to it last. */
  toldAt: number
  requests: number
}

const ADDRESSES = 48
const SERVICE_ACCOUNTS = 96
const REQUESTS_UNDER_WAY = 384
/** The API server hears of what the kernel has done up to this many steps later. */
const MAX_LAG = 400

/**
 * As `runHistories`, but requests are sent by pods of a made-up host, whose kernel knows what is true while the API server hears
 * of it late: addresses change hands, are swapped, taken by neighbours and forged. An answer is wrong unless it is the identity
 * of the very pod whose socket asked.
 */
export async function runProofHistories(
  metadatad: Metadatad,
  host: MemoryHost,
  options: HistoryOptions,
): Promise<HistoryResult> {
  const { sandbox } = metadatad
  const [hostname = '', port = ''] = metadatad.host.split(':')
  const remote = { address: hostname, port: Number(port) }
  const random = seededRandom(options.seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  const api = sandbox.kubernetes
  applyAccounts(sandbox, SERVICE_ACCOUNTS)
  const addresses = Array.from({ length: ADDRESSES }, (_, i) => `127.0.2.${i + 1}`)
  /** By address. */
  const memories = new Map<string, ClientMemory>(addresses.map((ip) => [ip, { sessionToken: undefined }]))
  const pods = new Set<LivingPod>()
  let told: { at: number; tell: () => void }[] = []
  /** What ordinary users make of namespaces of their own: every address, and every connection there is. */
  const forged = new MemoryNamespace(...addresses)

  let step = 0
  let created = 0
  const counts = { requests: 0, answered: { google: 0, aws: 0, azure: 0 }, refused: 0 }
  const wrong: string[] = []
  const failed: string[] = []
  const underWay = new Set<Promise<void>>()

  const goesOn = () => created < options.pods || isShort(counts.answered, options.answered)

  /** The API server hears of it in its own time, but of one pod's changes in their order. */
  function tellLater(pod: LivingPod, tell: () => void): void {
    pod.toldAt = Math.max(pod.toldAt, step + Math.floor(random() * random() * MAX_LAG))
    told.push({ at: pod.toldAt, tell })
  }

  function create(): void {
    const account = accountName(Math.floor(random() * SERVICE_ACCOUNTS))
    const name = `pod-${created++}`
    const uid = api.createPod({
      namespace: NAMESPACE,
      name,
      serviceAccountName: account,
      nodeName: 'node-1',
      phase: 'Pending',
    })
    pods.add({ name, uid, account, sandbox: undefined, ip: '', toldAt: step, requests: 0 })
  }

  function start(pod: LivingPod, ip: string): void {
    pod.ip = ip
    // The runtime joins its containers to the sandbox; now and then one runs a program that forges a namespace.
    pod.sandbox = host.sandbox(pod.uid, ip)
    if (random() < 0.2) {
      const forger = host.start(`${host.pod(pod.uid)}/container`, forged)
      forger.uidMap = '         0       1000          1\n'
    }
    tellLater(pod, () => api.updatePod(NAMESPACE, pod.name, { ips: [ip], phase: 'Running' }))
  }

  function end(pod: LivingPod): void {
    pods.delete(pod)
    if (random() < 0.5) host.end(pod.sandbox!)
    else host.removePod(pod.uid)
    tellLater(pod, () => {
      host.removePod(pod.uid)
      api.removePod(NAMESPACE, pod.name)
    })
  }

  /** New sandboxes for two pods, each with the other's address, as after a restart of the node. */
  function swap(a: LivingPod, b: LivingPod): void {
    if (a === b) return
    const [first, second] = [a.ip, b.ip]
    host.end(a.sandbox!)
    host.end(b.sandbox!)
    start(a, second)
    start(b, first)
  }

  /** Takes an address that may be a neighbour's, for a while. */
  function steal(pod: LivingPod): void {
    const { namespace } = pod.sandbox!
    const ip = pick(addresses)
    if (namespace.addresses.has(ip)) return
    namespace.addresses.add(ip)
    told.push({ at: step + 60, tell: () => namespace.addresses.delete(ip) })
  }

  function change(): void {
    step++
    const due = told.filter(({ at }) => at <= step)
    told = told.filter(({ at }) => at > step)
    for (const { tell } of due) tell()
    const running = [...pods].filter((pod) => pod.sandbox !== undefined)
    const taken = new Set(running.map((pod) => pod.ip))
    const free = addresses.filter((ip) => !taken.has(ip))
    const pending = [...pods].filter((pod) => pod.sandbox === undefined)
    const chance = random()
    if (pending.length < 8 && goesOn() && chance < 0.4) create()
    else if (pending.length > 0 && free.length > 0 && chance < 0.6) start(pick(pending), pick(free))
    else if (running.length > ADDRESSES / 3 && chance < 0.8) end(pick(running))
    else if (running.length > 1 && chance < 0.82) swap(pick(running), pick(running))
    else if (running.length > 0 && chance < 0.83) steal(pick(running))
  }

  async function request(pod: LivingPod, ip: string): Promise<void> {
    counts.requests++
    const { namespace } = pod.sandbox!
    try {
      const told = await whoAmI(
        (question) => askFrom(namespace, forged, remote, ip, question),
        memories.get(ip)!,
        sandbox,
        random,
      )
      if (told.kind === 'refused') counts.refused++
      else if (told.kind === 'failed') failed.push(told.what)
      else {
        counts.answered[told.cloud]++
        const { account, podUid } = told
        if (account !== pod.account || (podUid ?? pod.uid) !== pod.uid)
          wrong.push(`${pod.name} at ${ip} was answered as ${account} (pod ${podUid}) at step ${step}`)
      }
    } catch (error) {
      failed.push(String(error))
    }
  }

  function send(): void {
    const running = [...pods].filter((pod) => pod.sandbox !== undefined)
    if (running.length === 0) return
    const pod = pick(running)
    const going = request(pod, pick([...pod.sandbox!.namespace.addresses])).finally(() =>
      underWay.delete(going),
    )
    underWay.add(going)
  }

  const stopFaults = options.faults ? startFaults(api, random) : () => {}
  let toldAt = performance.now()
  while (goesOn()) {
    for (let i = 0; i < 2; i++) change()
    send()
    await new Promise((resolve) => setImmediate(resolve))
    if (underWay.size >= REQUESTS_UNDER_WAY) await Promise.race(underWay)
    if (performance.now() - toldAt > 1_000) {
      toldAt = performance.now()
      options.progress?.(created)
    }
  }
  stopFaults()
  await Promise.all(underWay)
  return { pods: created, ...counts, wrong, failed }
}

/** One request on a connection of its own, whose socket is in the namespace, and in the forged one, while it is open. */
function askFrom(
  namespace: MemoryNamespace,
  forged: MemoryNamespace,
  remote: MemorySocket['remote'],
  localAddress: string,
  question: Question,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call = httpRequest({
      host: remote.address,
      port: remote.port,
      ...question,
      localAddress,
      agent: false,
    })
    call.on('socket', (socket) => {
      socket.once('connect', () => {
        const row: MemorySocket = { local: { address: localAddress, port: socket.localPort! }, remote }
        namespace.sockets.add(row)
        forged.sockets.add(row)
        socket.once('close', () => {
          namespace.sockets.delete(row)
          forged.sockets.delete(row)
        })
      })
    })
    call.on('response', (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
      answer.on('error', reject)
    })
    call.on('error', reject)
    call.end()
  })
}
