import { isIPv4 } from 'node:net'
import type { HostFiles } from '../../../src/caller/proof/host-files.ts'
import type { TcpEnd } from '../../../src/caller/proof/tcp-tables.ts'

/** One row of a `net/tcp` or `net/tcp6`. */
export interface MemorySocket {
  readonly local: TcpEnd
  readonly remote: TcpEnd
  /** As the kernel numbers them; 1 is ESTABLISHED. */
  readonly state?: number
  readonly inode?: number
  /** The socket is one of IPv6, whatever its addresses are. */
  readonly dualStack?: boolean
}

/** A network namespace. */
export class MemoryNamespace {
  static #inodes = 4_026_532_000
  readonly inode = MemoryNamespace.#inodes++
  readonly addresses = new Set<string>()
  readonly sockets = new Set<MemorySocket>()

  constructor(...addresses: string[]) {
    for (const address of addresses) this.addresses.add(address)
  }
}

/** A process; change it at will. */
export interface MemoryProcess {
  readonly pid: number
  startTicks: number
  namespace: MemoryNamespace
  uidMap: string
  comm: string
}

/**
 * A host made up by a test: a `/proc` at `/proc` and a version 2 hierarchy of the cgroupfs driver at `/cgroup`, whose files are
 * printed as the kernel prints them. A read takes a few turns of the event loop, as a real one does.
 */
export class MemoryHost implements HostFiles {
  readonly hostNamespace = new MemoryNamespace('192.0.2.1')
  readonly #processes = new Map<number, MemoryProcess>()
  /** By path: the ids of its processes. */
  readonly cgroups = new Map<string, Set<number>>()
  #lastPid = 100
  #ticks = 1_000
  /** Reads of `net/tcp` so far, by pid. */
  readonly tableReads: number[] = []
  /** Sockets are read in the turn after; true for everything else to be read at once. */
  quick = false
  /** Called before a file is read, with its path; may throw, or change the host. */
  beforeRead: (path: string) => void | Promise<void> = () => {}

  constructor() {
    this.cgroups.set('/cgroup/kubepods', new Set())
    this.#add(1, this.hostNamespace)
  }

  /** The directory of a pod of the burstable class; made if it is not there. */
  pod(uid: string): string {
    const directory = `/cgroup/kubepods/burstable/pod${uid}`
    if (!this.cgroups.has(directory)) this.cgroups.set(directory, new Set())
    return directory
  }

  /** Starts a process in a cgroup. */
  start(cgroup: string, namespace: MemoryNamespace): MemoryProcess {
    const process = this.#add(++this.#lastPid, namespace)
    const members = this.cgroups.get(cgroup) ?? new Set()
    this.cgroups.set(cgroup, members.add(process.pid))
    return process
  }

  /** Ends a process; its namespace lives on if it is held. */
  end(process: MemoryProcess): void {
    this.#processes.delete(process.pid)
    for (const members of this.cgroups.values()) members.delete(process.pid)
  }

  /** A pod with one process, as a sandbox has it. */
  sandbox(uid: string, ...addresses: string[]): MemoryProcess {
    return this.start(`${this.pod(uid)}/sandbox`, new MemoryNamespace(...addresses))
  }

  removePod(uid: string): void {
    const directory = this.pod(uid)
    for (const [path, members] of this.cgroups) {
      if (path !== directory && !path.startsWith(`${directory}/`)) continue
      for (const pid of members) this.#processes.delete(pid)
      this.cgroups.delete(path)
    }
  }

  async readFile(path: string): Promise<string> {
    await this.#turn(path)
    if (path === '/cgroup/cgroup.controllers') return 'cpu memory pids\n'
    if (path.endsWith('/cgroup.procs')) {
      const members = this.cgroups.get(path.slice(0, -'/cgroup.procs'.length))
      if (members === undefined) throw missing(path)
      return [...members].map((pid) => `${pid}\n`).join('')
    }
    const process = this.#process(path)
    const name = path.split('/').slice(3).join('/')
    if (name === 'net/tcp') this.tableReads.push(process.pid)
    switch (name) {
      case 'stat':
        return `${process.pid} (${process.comm}) S ${'0 '.repeat(18)}${process.startTicks} 0 0\n`
      case 'uid_map':
        return process.uidMap
      case 'net/tcp':
        return printSockets(process.namespace, 4)
      case 'net/tcp6':
        return printSockets(process.namespace, 6)
      case 'net/fib_trie':
        return printTrie(process.namespace)
      case 'net/if_inet6':
        return printInet6(process.namespace)
      default:
        throw missing(path)
    }
  }

  async directories(path: string): Promise<readonly string[]> {
    await this.#turn(path)
    const names = new Set<string>()
    for (const cgroup of this.cgroups.keys()) {
      if (cgroup.startsWith(`${path}/`)) names.add(cgroup.slice(path.length + 1).split('/')[0]!)
    }
    if (names.size === 0 && !this.cgroups.has(path)) throw missing(path)
    return [...names]
  }

  async inode(path: string): Promise<number> {
    await this.#turn(path)
    return this.#process(path.replace('/proc/self/', '/proc/1/')).namespace.inode
  }

  async #turn(path: string): Promise<void> {
    await this.beforeRead(path)
    if (!this.quick || path.includes('/net/tcp')) await new Promise((resolve) => setImmediate(resolve))
  }

  #add(pid: number, namespace: MemoryNamespace): MemoryProcess {
    const startTicks = this.#ticks++
    const process = {
      pid,
      startTicks,
      namespace,
      uidMap: '         0          0 4294967295\n',
      comm: 'a) b (c',
    }
    this.#processes.set(pid, process)
    return process
  }

  #process(path: string): MemoryProcess {
    const process = this.#processes.get(Number(path.split('/')[2]))
    if (process === undefined) throw missing(path)
    return process
  }
}

function missing(path: string): Error {
  return Object.assign(new Error(`no ${path}`), { code: 'ENOENT' })
}

function printSockets(namespace: MemoryNamespace, family: 4 | 6): string {
  const rows = [...namespace.sockets]
    .filter((socket) => (socket.dualStack || !isIPv4(socket.local.address) ? 6 : 4) === family)
    .map((socket, i) => socketRow(socket, i))
  return ['  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt', ...rows, ''].join(
    '\n',
  )
}

/** One row as net/ipv4/tcp_ipv4.c and net/ipv6/tcp_ipv6.c print it on a little-endian machine. */
export function socketRow(socket: MemorySocket, index = 0): string {
  const end = ({ address, port }: TcpEnd) => {
    const bytes = socket.dualStack && isIPv4(address) ? [...MAPPED, ...bytesOf(address)] : bytesOf(address)
    const words = Array.from({ length: bytes.length / 4 }, (_, i) => bytes.slice(i * 4, i * 4 + 4).reverse())
    return `${hex(words.flat())}:${port.toString(16).toUpperCase().padStart(4, '0')}`
  }
  const { local, remote, state = 1, inode = 4_711 } = socket
  return (
    `${String(index).padStart(4)}: ${end(local)} ${end(remote)} ${hex([state])} 00000000:00000000 02:000003AA 00000000 ` +
    ` 1000        0 ${inode} 2 0000000009e0874c 20 4 30 10 -1`
  )
}

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]

/** IPv6 by the URL parser's rules of RFC 5952, spelled out by hand. */
export function bytesOf(address: string): number[] {
  if (isIPv4(address)) return address.split('.').map(Number)
  const [left = '', right] = address.split('::')
  const head = left === '' ? [] : left.split(':')
  const tail = right === undefined || right === '' ? [] : right.split(':')
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail]
  return groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255])
}

function hex(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join('')
}

function printTrie(namespace: MemoryNamespace): string {
  const lines = ['Main:', '  +-- 0.0.0.0/0 3 0 5']
  for (const address of ['127.0.0.1', ...namespace.addresses]) {
    if (!isIPv4(address)) continue
    lines.push(`        |-- ${address}`, '           /32 host LOCAL')
  }
  lines.push('        |-- 10.255.255.255', '           /32 link BROADCAST')
  return `${lines.join('\n')}\n`
}

function printInet6(namespace: MemoryNamespace): string {
  const lines = ['00000000000000000000000000000001 01 80 10 80       lo']
  for (const address of namespace.addresses) {
    if (isIPv4(address)) continue
    lines.push(`${hex(bytesOf(address)).toLowerCase()} 02 40 00 80     eth0`)
  }
  return `${lines.join('\n')}\n`
}
