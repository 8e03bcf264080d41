import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'

/** Why tests with network namespaces can't run here; false if they can. For tap's `skip`. */
export function cannotNamespace(...programs: readonly string[]): string | false {
  if (process.platform !== 'linux') return 'network namespaces are of Linux'
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  for (const program of ['ip', 'nsenter', ...programs]) {
    const folders = ['/usr/sbin', '/sbin', ...(process.env.PATH ?? '').split(':')]
    if (!folders.some((folder) => existsSync(`${folder}/${program}`))) return `${program} is not installed`
  }
  return false
}

/** What a program that was run to its end printed. */
export interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A network namespace of the test's own, with loopback up; gone when disposed of, and every process started in it too. */
export class NetNamespace implements AsyncDisposable {
  readonly name: string
  readonly #children = new Set<ChildProcess>()

  private constructor(name: string) {
    this.name = name
  }

  static async create(role: string): Promise<NetNamespace> {
    const namespace = new NetNamespace(`md-${role}-${randomBytes(3).toString('hex')}`)
    await must(run('ip', ['netns', 'add', namespace.name]))
    await namespace.ip('link', 'set', 'lo', 'up')
    return namespace
  }

  get path(): string {
    return `/run/netns/${this.name}`
  }

  /** `ip ARGS` in the namespace. Throws if it fails. */
  async ip(...args: string[]): Promise<string> {
    return (await must(run('ip', ['-n', this.name, ...args]))).stdout
  }

  /** Runs a program in the namespace to its end, whatever its status; it is killed after `timeoutMs`. */
  run(
    program: string,
    args: readonly string[],
    options: { readonly input?: string; readonly timeoutMs?: number; readonly env?: NodeJS.ProcessEnv } = {},
  ): Promise<Ran> {
    return run('nsenter', [`--net=${this.path}`, '--', program, ...args], options)
  }

  /** The same, but a failure throws what it said. */
  async must(program: string, ...args: string[]): Promise<string> {
    return (await must(this.run(program, args))).stdout
  }

  /** Starts a program in the namespace; it is killed when the namespace is disposed of. */
  spawn(program: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const child = spawn('nsenter', [`--net=${this.path}`, '--', program, ...args], options)
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    return child
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    }
    await run('ip', ['netns', 'del', this.name])
  }
}

async function must(running: Promise<Ran>): Promise<Ran> {
  const ran = await running
  if (ran.status !== 0) throw new Error(`status ${ran.status}: ${ran.stderr}${ran.stdout}`)
  return ran
}

async function run(
  program: string,
  args: readonly string[],
  options: { readonly input?: string; readonly timeoutMs?: number; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  const child = spawn(program, args, {
    stdio: 'pipe',
    // For one that hangs: a starved machine may need a minute for what else takes a second.
    timeout: options.timeoutMs ?? 120_000,
    killSignal: 'SIGKILL',
    ...(options.env === undefined ? {} : { env: options.env }),
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  const [status] = await once(child, 'close')
  return { status, stdout, stderr }
}
