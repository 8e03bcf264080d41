import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { createInterface, type Interface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Pod } from '../../../src/kubernetes/types.ts'
import { NetNamespace } from '../../support/net-namespace.ts'
import { pod } from '../build.ts'

export const METADATA_V4 = '169.254.169.254'
export const METADATA_V6 = 'fd20:ce::254'

/** A program that is told one line and answers one. */
export class LineProgram {
  readonly process: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(process: ChildProcess) {
    this.process = process
    const lines: Interface = createInterface({ input: process.stdout! })
    this.#lines = lines[Symbol.asyncIterator]()
  }

  get pid(): number {
    return this.process.pid!
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('the program has ended')
    return value
  }

  async tell(what: unknown): Promise<string> {
    this.process.stdin!.write(`${JSON.stringify(what)}\n`)
    return await this.line()
  }

  /** What a pod's agent did. */
  async do(order: Readonly<Record<string, unknown>>): Promise<unknown> {
    return JSON.parse(await this.tell(order))
  }

  async end(): Promise<void> {
    const exited = once(this.process, 'exit')
    this.process.kill('SIGKILL')
    await exited
  }
}

/** How the kubelet and its runtime name things. */
export interface Spelling {
  readonly version: 1 | 2
  readonly driver: 'cgroupfs' | 'systemd'
  readonly root?: string
}

/**
 * A node with pods: network namespaces, a routed veth a pod or a bridge, cgroups as the kubelet makes them, and the daemon's
 * side in the node's namespace. Everything is removed when it is disposed of.
 */
export class NodeBed implements AsyncDisposable {
  readonly node: NetNamespace
  readonly #stack = new AsyncDisposableStack()
  readonly #spelling: Spelling
  /** Given to the daemon as where the hierarchies are. */
  readonly cgroupRoot: string
  #side: LineProgram | undefined
  #links = 0

  private constructor(node: NetNamespace, spelling: Spelling) {
    this.node = node
    this.#spelling = spelling
    const top = spelling.version === 2 ? 'unified' : 'pids'
    this.cgroupRoot = `/sys/fs/cgroup/${top}/md-${randomBytes(3).toString('hex')}`
  }

  static async create(spelling: Spelling = { version: 2, driver: 'cgroupfs' }): Promise<NodeBed> {
    const bed = new NodeBed(await NetNamespace.create('node'), spelling)
    bed.#stack.defer(() => removeCgroups(bed.cgroupRoot))
    bed.#stack.use(bed.node)
    await mkdir(bed.cgroupRoot)
    await bed.node.must('sysctl', '-qw', 'net.ipv4.ip_forward=1')
    await bed.node.ip('addr', 'add', `${METADATA_V4}/32`, 'dev', 'lo')
    // Without `nodad` it can't be listened on until a thread of the kernel has got to it.
    await bed.node.ip('addr', 'add', `${METADATA_V6}/128`, 'dev', 'lo', 'nodad')
    return bed
  }

  /** Starts the daemon's side, with the patience of `node-side.ts`; there must be a pod. Returns what it said first. */
  async serve(holdMs = 900, patience: 'patient' | 'strict' = 'patient'): Promise<string> {
    const script = fileURLToPath(new URL('./node-side.ts', import.meta.url))
    const args = [script, this.cgroupRoot, String(holdMs), patience, METADATA_V4, METADATA_V6]
    this.#side = new LineProgram(
      this.node.spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] }),
    )
    return await this.#side.line()
  }

  /** Makes the watch show a pod. */
  async watch(name: string, change: Partial<Pod> = {}): Promise<void> {
    await this.#side!.tell({ watch: pod(name, change) })
  }

  async gone(name: string): Promise<void> {
    await this.#side!.tell({ gone: name })
  }

  /** A network namespace with a routed veth and these addresses. */
  async namespace(...addresses: string[]): Promise<NetNamespace> {
    const namespace = this.#stack.use(await NetNamespace.create('pod'))
    const link = `veth${this.#links++}`
    await this.node.ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace.name)
    await this.node.ip('link', 'set', link, 'up')
    await this.node.ip('addr', 'add', '169.254.1.1/32', 'dev', link)
    await this.node.ip('-6', 'addr', 'add', 'fe80::1/64', 'dev', link, 'nodad')
    await namespace.ip('link', 'set', 'eth0', 'up')
    for (const address of addresses) {
      const isV6 = address.includes(':')
      await namespace.ip(
        'addr',
        'add',
        `${address}/${isV6 ? 128 : 32}`,
        'dev',
        'eth0',
        ...(isV6 ? ['nodad'] : []),
      )
      await this.node.ip(isV6 ? '-6' : '-4', 'route', 'replace', address, 'dev', link)
    }
    await namespace.ip('route', 'add', '169.254.1.1', 'dev', 'eth0')
    await namespace.ip('route', 'add', 'default', 'via', '169.254.1.1', 'dev', 'eth0')
    if (addresses.some((address) => address.includes(':')))
      await namespace.ip('-6', 'route', 'add', 'default', 'via', 'fe80::1', 'dev', 'eth0')
    return namespace
  }

  /** A network namespace on the bridge of the node. */
  async bridged(address: string): Promise<NetNamespace> {
    const namespace = this.#stack.use(await NetNamespace.create('pod'))
    if (this.#links === 0) {
      await this.node.ip('link', 'add', 'br0', 'type', 'bridge')
      await this.node.ip('addr', 'add', '10.78.0.1/24', 'dev', 'br0')
      await this.node.ip('link', 'set', 'br0', 'up')
    }
    const link = `port${this.#links++}`
    await this.node.ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace.name)
    await this.node.ip('link', 'set', link, 'master', 'br0', 'up')
    await namespace.ip('addr', 'add', `${address}/24`, 'dev', 'eth0')
    await namespace.ip('link', 'set', 'eth0', 'up')
    await namespace.ip('route', 'add', 'default', 'via', '10.78.0.1')
    return namespace
  }

  /** The cgroup of one of the pod's containers; made if it is not there. */
  async container(name: string, container: string): Promise<string> {
    const { version, driver, root = '' } = this.#spelling
    const uid = `uid-${name}`
    const hierarchy = version === 2 ? this.cgroupRoot : `${this.cgroupRoot}/pids`
    const prefix = root === '' ? '' : `${root}-`
    const slices = [`${prefix}kubepods`, `${prefix}kubepods-burstable`].map((slice) => `${slice}.slice`)
    const podDirectory =
      driver === 'cgroupfs'
        ? `${root}/kubepods/burstable/pod${uid}`
        : `${root === '' ? '' : `${root}.slice`}/${slices.join('/')}/${prefix}kubepods-burstable-pod${uid.replaceAll('-', '_')}.slice`
    const directory = `${hierarchy}/${podDirectory}/${container}`
    await mkdir(directory, { recursive: true })
    return directory
  }

  /** Starts a process of the pod that does nothing, as a pause process does. */
  async pause(name: string, namespace: NetNamespace, container = 'sandbox'): Promise<LineProgram> {
    return await this.#start(namespace, ['cat'], await this.container(name, container))
  }

  /** Starts an agent in a namespace, and in a cgroup if there is one to be in. `before` is what runs it. */
  async agent(
    namespace: NetNamespace,
    member?: { readonly pod: string; readonly container?: string },
    before: readonly string[] = [],
  ): Promise<LineProgram> {
    const script = fileURLToPath(new URL('./pod-agent.py', import.meta.url))
    // By its text: a user without rights may not be able to read the file.
    const command = [...before, 'python3', '-c', await readFile(script, 'utf8')]
    const cgroup = member && (await this.container(member.pod, member.container ?? 'container'))
    return await this.#start(namespace, command, cgroup)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  async #start(
    namespace: NetNamespace,
    command: readonly string[],
    cgroup: string | undefined,
  ): Promise<LineProgram> {
    const [program = '', ...args] = command
    // The shell waits for a line, so that nothing of the pod runs outside its cgroup; and it says one, so that nothing that is in
    // the cgroup is outside its namespace.
    const wait = ['-c', 'echo; read -r go; exec "$@"', 'sh', program, ...args]
    const started = new LineProgram(namespace.spawn('sh', wait, { stdio: ['pipe', 'pipe', 'inherit'] }))
    await started.line()
    if (cgroup !== undefined) await writeFile(`${cgroup}/cgroup.procs`, String(started.pid))
    started.process.stdin!.write('go\n')
    return started
  }
}

/** Removes a tree of cgroups, each as soon as its last process is reaped. */
async function removeCgroups(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) if (entry.isDirectory()) await removeCgroups(`${path}/${entry.name}`)
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      return await rmdir(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY') return
      await pause(20)
    }
  }
}
