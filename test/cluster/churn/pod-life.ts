import { setTimeout as pause } from 'node:timers/promises'
import type { MemoryHost } from '../../caller/proof/memory-host.ts'
import type { Account } from './accounts.ts'
import type { Addresses } from './addresses.ts'
import { PodClient } from './pod-client.ts'
import type { PodObject, PodObjects } from './pod-objects.ts'
import { StatusReports } from './status-reports.ts'

/** How pods end. */
export type Ending = 'graceful' | 'forced' | 'completed' | 'evicted'

/**
 * When an address is used again. `at once`: with the end of the process that had it, whatever the API server still shows, which is
 * what container runtimes do. `when told`: once the API server no longer gives it to its last owner.
 */
export type Reuse = 'at once' | 'when told'

/** What a life needs. */
export interface LifeOptions {
  readonly pods: PodObjects
  readonly kernel: MemoryHost
  readonly addresses: Addresses
  readonly reuse: Reuse
  /** `host:port` of the daemon. */
  readonly host: string
  readonly random: () => number
  /** Asks as the pod, from its first instruction on until the client has ended. Must not reject. */
  readonly runProcess: (pod: RunningPod) => Promise<void>
}

/** A pod whose process runs. */
export interface RunningPod {
  readonly object: PodObject
  readonly account: Account
  readonly ip: string
  readonly client: PodClient
  /** The API server has its address. */
  readonly isReported: boolean
  /** To be called at an answer: most pods have something to do that they can't do without. */
  answered(): void
}

/** Milliseconds, from and below. */
type Range = readonly [number, number]

/** From a pod's binding to its sandbox: the kubelet hears of it, asks for its token and mounts its volumes. */
const UNTIL_SANDBOX: Range = [400, 800]
const RUNS: Range = [50, 300]
/** Of those that wait for an answer before they end. */
const PATIENT = 0.9
const PATIENCE_MS = 3_000
const RUNS_ON: Range = [0, 60]
const LATE: Range = [0, 800]
const PROMPT: Range = [0, 40]
/** The share of graceful deletions in which the API server is told that the sandbox is gone before the pod is. */
const SANDBOX_TOLD = { 'at once': 0.3, 'when told': 0.8 }

/**
 * One pod's life as its node makes it: the API server hears of what happens later, some of it after the address has another
 * owner, and everything in its order.
 */
export class PodLife {
  readonly #options: LifeOptions
  readonly #object: PodObject
  readonly #account: Account
  readonly #reports: StatusReports
  #forgotten: Promise<void> | undefined
  #sandboxGone: Promise<unknown> | undefined

  constructor(options: LifeOptions, object: PodObject, account: Account) {
    this.#options = options
    this.#object = object
    this.#account = account
    this.#reports = new StatusReports(options.pods, object)
  }

  /** Runs the pod to the end of its process. What is told of it later is `told`. */
  async run(ending: Ending): Promise<void> {
    const { addresses, kernel, host, reuse, runProcess } = this.#options
    const object = this.#object
    await this.#wait(UNTIL_SANDBOX)
    const ip = await addresses.take()
    const sandbox = kernel.sandbox(object.uid, ip)
    const client = new PodClient(host, ip, sandbox.namespace)
    const { promise: answer, resolve: answered } = Promise.withResolvers<void>()
    const pod = { object, account: this.#account, ip, client, isReported: false, answered }
    const isLate = ending !== 'evicted' && this.#chance(0.5)
    this.#reports.report(running(ip), this.#within(isLate ? LATE : PROMPT)).then(
      (isWritten) => {
        pod.isReported = isWritten
      },
      () => {},
    )
    const process = runProcess(pod)
    if (this.#chance(PATIENT)) await Promise.race([answer, pause(PATIENCE_MS)])
    await this.#wait(RUNS)
    await this.#end(ending, ip, () => {
      client.end()
      kernel.end(sandbox)
      if (reuse === 'at once') addresses.giveBack(ip)
    })
    if (reuse === 'when told') {
      await (this.#sandboxGone ?? this.told)
      addresses.giveBack(ip)
    }
    await process
    // The kubelet removes a pod's cgroup in its own time.
    await (this.#chance(0.2) ? this.told : undefined)
    kernel.removePod(object.uid)
  }

  /** Resolves when the API server has been told everything. */
  get told(): Promise<void> {
    return this.#forgotten ?? this.#reports.written
  }

  async #end(ending: Ending, ip: string, stop: () => void): Promise<void> {
    const { pods } = this.#options
    const object = this.#object
    switch (ending) {
      case 'graceful':
        await pods.delete(object, 30)
        await this.#wait(RUNS_ON)
        stop()
        this.#forget()
        return
      case 'forced':
        await pods.delete(object, 0)
        this.#reports.cancel()
        await this.#wait(RUNS_ON)
        stop()
        return
      case 'completed': {
        const phase = this.#chance(0.8) ? 'Succeeded' : 'Failed'
        stop()
        this.#reports.report({ ...running(ip), phase }, this.#within(LATE)).catch(() => {})
        return
      }
      case 'evicted':
        await this.#reports.report({ ...running(ip), phase: 'Failed', reason: 'Evicted' }, 0)
        await this.#wait(RUNS_ON)
        stop()
    }
  }

  /** The end of a graceful deletion, with or without word of the sandbox before. */
  #forget(): void {
    const { pods, reuse } = this.#options
    if (this.#chance(SANDBOX_TOLD[reuse]))
      this.#sandboxGone = this.#reports.report(SANDBOX_GONE, this.#within(LATE))
    const forgotten = this.#reports.written.then(async () => {
      await this.#wait(LATE)
      await pods.delete(this.#object, 0)
    })
    forgotten.catch(() => {})
    this.#forgotten = forgotten
  }

  #wait(range: Range): Promise<void> {
    return pause(this.#within(range))
  }

  #within([from, below]: Range): number {
    return from + this.#options.random() * (below - from)
  }

  #chance(share: number): boolean {
    return this.#options.random() < share
  }
}

function running(ip: string) {
  const conditions = [{ type: 'PodReadyToStartContainers', status: 'True' }]
  return { phase: 'Running', hostIP: '127.0.0.1', podIP: ip, podIPs: [{ ip }], conditions }
}

const SANDBOX_GONE = {
  phase: 'Running',
  conditions: [{ type: 'PodReadyToStartContainers', status: 'False' }],
}
