import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/** How long a program that is told to end is waited for. The API server drains for up to 60 s while watches are open. */
const GRACE_MS = 1_000

/** Ends a program with the process that started it, however that one ends. */
const PARENT_DEATH = ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--']

/** Collect less often, and start goroutines with the stacks they need: on two cores that is worth more than the memory. */
const GO = { GOGC: '400', GODEBUG: 'adaptivestackstart=1' }

/** One program of a control plane, with its log in a file. */
export class Component implements AsyncDisposable {
  readonly name: string
  readonly #log: string
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>

  /** @param directory where NAME.log is written, on after what is there */
  constructor(name: string, program: string, args: readonly string[], directory: string) {
    this.name = name
    this.#log = join(directory, `${name}.log`)
    const log = openSync(this.#log, 'a')
    const [first, ...rest] = [...(existsSync(PARENT_DEATH[0]!) ? PARENT_DEATH : []), program, ...args]
    this.#child = spawn(first!, rest, { stdio: ['ignore', log, log], env: { ...GO, ...process.env } })
    closeSync(log)
    this.#exited = once(this.#child, 'exit')
    this.#exited.catch(() => {})
  }

  get pid(): number {
    return this.#child.pid!
  }

  get running(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /**
   * Asks until the program is ready.
   *
   * @param isReady one try; what it throws is a no
   * @throws Error with the end of the log, if the program ends or is not ready within `timeoutMs`
   */
  async whenReady(isReady: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    const until = performance.now() + timeoutMs
    while (!(await isReady().catch(() => false))) {
      if (!this.running) throw new Error(`${this.name} ended:\n${await this.#tail()}`)
      if (performance.now() > until) throw new Error(`${this.name} is not ready:\n${await this.#tail()}`)
      await setTimeout(50)
    }
  }

  /** SIGSTOP: the program keeps its sockets and does nothing. */
  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  /** SIGCONT. */
  thaw(): void {
    this.#child.kill('SIGCONT')
  }

  /** SIGKILL, or SIGTERM first where a grace period is given; resolves when the program is gone. */
  async stop(graceMs = GRACE_MS): Promise<void> {
    if (!this.running) return
    this.#child.kill('SIGCONT')
    if (graceMs > 0) {
      this.#child.kill('SIGTERM')
      await Promise.race([this.#exited, setTimeout(graceMs, undefined, { ref: false })])
    }
    if (!this.running) return
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #tail(): Promise<string> {
    const text = await readFile(this.#log, 'utf8').catch(() => '')
    return text.split('\n').slice(-20).join('\n')
  }
}
