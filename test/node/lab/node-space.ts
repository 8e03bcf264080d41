import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type RunOptions, runProgram } from '../run-program.ts'
import { entering } from './entering.ts'

/** What the first process of a node does: it takes over orphans, as the shims of containers are. */
const REAP = 'while :; do sleep 1000 & wait $!; done'
const NAMESPACES = ['--net', '--mount', '--pid', '--cgroup'] as const

/** Namespaces and cgroups of one node: network, mounts, processes. All of it ends with its first process. */
export class NodeSpace {
  /** Of the node's first process, as this process sees it. */
  readonly pid: number
  readonly #cgroup: string

  private constructor(pid: number, cgroup: string) {
    this.pid = pid
    this.#cgroup = cgroup
  }

  /** @param cgroup exists in every hierarchy, and becomes the node's root; `system` below it is for the node's own programs */
  static async create(cgroup: string): Promise<NodeSpace> {
    const [sh, ...enter] = entering(cgroup)
    const unshare = ['unshare', ...NAMESPACES, '--fork', '--kill-child=KILL']
    const first = ['bash', '-c', `mount -t proc proc /proc && echo up && ${REAP}`]
    const child = spawn(sh, [...enter, ...unshare, ...first], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await Promise.race([
      once(child.stdout!, 'data'),
      once(child, 'exit').then(() => Promise.reject(new Error('no namespaces for a node'))),
    ])
    const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
    return new NodeSpace(Number(children.trim()), cgroup)
  }

  /** Runs a program in the node to its end. */
  run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    return runProgram('nsenter', [...this.#target(), program, ...args], options)
  }

  /** Starts a program in the node, which ends with the node; what it says is added to a file. */
  start(program: string, args: readonly string[], log: string, env: NodeJS.ProcessEnv): ChildProcess {
    const output = openSync(log, 'a')
    const [sh, ...enter] = entering(`${this.#cgroup}/system`)
    const command = [...enter, 'nsenter', ...this.#target(), program, ...args]
    const child = spawn(sh, command, { stdio: ['ignore', output, output], env })
    closeSync(output)
    return child
  }

  /** Starts a program in the node whose input and output are the caller's. */
  spawn(program: string, args: readonly string[]): ChildProcess {
    return spawn('nsenter', [...this.#target(), program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  }

  #target(): string[] {
    return ['--target', String(this.pid), ...NAMESPACES, '--']
  }
}
