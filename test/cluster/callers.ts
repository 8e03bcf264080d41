import { setTimeout } from 'node:timers/promises'
import { ask } from '../support/ask.ts'
import { eventually } from '../support/eventually.ts'
import { TOKEN } from '../support/pod-questions.ts'
import { operatorView } from './rights/operator-view.ts'
import type { ClusterDaemon } from './start-daemon-in.ts'

/** What an address was told so far. */
export interface Told {
  /** Tokens of somebody that it may be. */
  right: number
  /** Tokens of somebody else. */
  wrong: number
  /** Answers that say "try again". */
  refused: number
  /** Other answers, and none: what they were. */
  readonly failed: string[]
}

const PAUSE_MS = 25

/** Pods that ask a daemon for their token all the while, each request on a connection of its own, until they are disposed of. */
export class Callers implements AsyncDisposable {
  readonly #daemon: ClusterDaemon
  readonly #may = new Map<string, { readonly at: number; readonly identities: readonly string[] }[]>()
  readonly #told = new Map<string, Told>()
  readonly #loops: Promise<void>[] = []
  #stopped = false

  constructor(daemon: ClusterDaemon) {
    this.#daemon = daemon
  }

  /**
   * From now on the address is one of these identities; the first time, it begins to ask. An answer is right if its identity was one of
   * the address's at some moment between question and answer.
   */
  is(ip: string, ...identities: string[]): void {
    const entry = { at: performance.now(), identities }
    const known = this.#may.get(ip)
    if (known !== undefined) {
      known.push(entry)
      return
    }
    this.#may.set(ip, [entry])
    this.#told.set(ip, { right: 0, wrong: 0, refused: 0, failed: [] })
    this.#loops.push(this.#askOn(ip))
  }

  /** Gives the address to another by what `work` does; only what is asked after that must be answered with the new identity. */
  async become(ip: string, identity: string, work: () => Promise<unknown>): Promise<void> {
    this.is(ip, ...this.#may.get(ip)!.at(-1)!.identities, identity)
    await work()
    this.is(ip, identity)
  }

  told(ip: string): Told {
    return this.#told.get(ip)!
  }

  /** The sum of what all addresses were told. */
  get all(): Told {
    const all: Told = { right: 0, wrong: 0, refused: 0, failed: [] }
    for (const told of this.#told.values()) {
      all.right += told.right
      all.wrong += told.wrong
      all.refused += told.refused
      all.failed.push(...told.failed)
    }
    return all
  }

  /** Resolves when the address has got so many more right tokens. @throws Error if the daemon is stopped */
  async right(ip: string, more = 3): Promise<void> {
    const enough = this.told(ip).right + more
    while (this.told(ip).right < enough && !this.#stopped) {
      if (this.#daemon.isStopped) throw new Error('the daemon was stopped')
      await setTimeout(PAUSE_MS)
    }
  }

  /**
   * Resolves when the daemon is ready and every address has got right tokens. What they were told before does not count as refused: a
   * daemon that has just started tells them to try again.
   */
  async started(): Promise<void> {
    await eventually(
      () => operatorView(this.#daemon),
      ({ ready }) => ready,
    )
    await Promise.all([...this.#told.keys()].map((ip) => this.right(ip)))
    for (const told of this.#told.values()) told.refused = 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#loops)
  }

  async #askOn(ip: string): Promise<void> {
    const told = this.told(ip)
    while (!this.#stopped && !this.#daemon.isStopped) {
      await this.#askOnce(ip, told).catch((err) => told.failed.push(String(err)))
      await setTimeout(PAUSE_MS)
    }
  }

  async #askOnce(ip: string, told: Told): Promise<void> {
    const askedAt = performance.now()
    const { status, body } = await ask(this.#daemon.host, TOKEN, { ip })
    if (status === 503) told.refused++
    else if (status !== 200) told.failed.push(`${status}: ${body}`)
    else {
      const identity = this.#daemon.sandbox.google.inspect(JSON.parse(body).access_token)?.identity
      if (this.#mayBe(ip, askedAt).includes(identity ?? '')) told.right++
      else told.wrong++
    }
  }

  #mayBe(ip: string, since: number): string[] {
    const entries = this.#may.get(ip)!
    const first = entries.findLastIndex(({ at }) => at <= since)
    return entries.slice(Math.max(0, first)).flatMap(({ identities }) => identities)
  }
}
