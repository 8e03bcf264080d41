import {
  MemoryHost,
  type MemoryNamespace,
  type MemoryProcess,
  socketRow,
} from '../../caller/proof/memory-host.ts'

const TABLE_HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt'
/** Every so many reads of sockets the pods' processes go on meanwhile. */
const SLOW_READ_EVERY = 4

/**
 * What the kernel of the node shows: the cgroups, processes, addresses and sockets that the scenario's pods really have at this
 * moment, whatever the API server says of them. A pod has one process here, and the node no IPv6.
 *
 * Only some reads take a turn of the event loop, which is shared with the pods and tens of milliseconds long under load: a
 * read of the kernel's takes one or two.
 */
export class NodeKernel extends MemoryHost {
  readonly #namespaces = new Map<number, MemoryNamespace>()
  #reads = 0

  constructor() {
    super()
    this.quick = true
  }

  override start(cgroup: string, namespace: MemoryNamespace): MemoryProcess {
    const process = super.start(cgroup, namespace)
    this.#namespaces.set(process.pid, namespace)
    return process
  }

  /** The sockets go with the process. */
  override end(process: MemoryProcess): void {
    this.#namespaces.delete(process.pid)
    super.end(process)
  }

  override async readFile(path: string): Promise<string> {
    const [, pid, file] = /^\/proc\/(\d+)\/net\/(tcp6?|if_inet6)$/.exec(path) ?? []
    if (file === undefined) return super.readFile(path)
    if (file !== 'tcp') throw missing(path)
    if (this.#reads++ % SLOW_READ_EVERY === 0) await new Promise((resolve) => setImmediate(resolve))
    const namespace = this.#namespaces.get(Number(pid))
    if (namespace === undefined) throw missing(path)
    return [TABLE_HEAD, ...[...namespace.sockets].map((socket, i) => socketRow(socket, i)), ''].join('\n')
  }

  override async inode(path: string): Promise<number> {
    const [, pid] = /^\/proc\/(\d+)\/net\/tcp$/.exec(path) ?? []
    if (pid === undefined || pid === '1') return super.inode(path)
    const namespace = this.#namespaces.get(Number(pid))
    if (namespace === undefined) throw missing(path)
    return namespace.inode
  }

  /** As the general one, which looks at every cgroup of the node for each pod that it is asked for. */
  override async directories(path: string): Promise<readonly string[]> {
    if (!path.includes('/pod')) return super.directories(path)
    return this.cgroups.has(`${path}/sandbox`) ? ['sandbox'] : []
  }
}

function missing(path: string): Error {
  return Object.assign(new Error(`no ${path}`), { code: 'ENOENT' })
}
