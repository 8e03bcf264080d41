import { localIpv4 } from './fib-trie.ts'
import type { HostView } from './host-view.ts'
import { localIpv6 } from './if-inet6.ts'
import { isGone } from './is-gone.ts'
import { TcpTables } from './tcp-tables.ts'

/** About 55,000 sockets, and some 10,000 addresses. A pod that has more can't be proved; nobody else is the worse for it. */
const MAX_TCP = 8 * 1024 * 1024
const MAX_TRIE = 2 * 1024 * 1024
const MAX_INET6 = 1024 * 1024
const MAX_ADDRESSES = 1_024

/** The addresses in the network namespace of a process that it can be called from; undefined if there are too many. */
export async function readLocalAddresses(
  host: HostView,
  pid: number,
): Promise<ReadonlySet<string> | undefined> {
  const trie = await read(host, pid, 'fib_trie', MAX_TRIE)
  const inet6 = await read(host, pid, 'if_inet6', MAX_INET6)
  if (trie === undefined || inet6 === undefined) return undefined
  const addresses = new Set([...localIpv4(trie), ...localIpv6(inet6)])
  return addresses.size > MAX_ADDRESSES ? undefined : addresses
}

/** The TCP sockets in the network namespace of a process; undefined if there are too many. */
export async function readTcpTables(host: HostView, pid: number): Promise<TcpTables | undefined> {
  const tcp = await read(host, pid, 'tcp', MAX_TCP)
  const tcp6 = await read(host, pid, 'tcp6', MAX_TCP)
  return tcp === undefined || tcp6 === undefined ? undefined : new TcpTables(tcp, tcp6)
}

/** Empty where there is no such file: IPv6 may be switched off. Whether the process is there is the caller's to look at. */
async function read(
  host: HostView,
  pid: number,
  name: string,
  maxBytes: number,
): Promise<string | undefined> {
  try {
    return await host.files.readFile(`${host.procRoot}/${pid}/net/${name}`, maxBytes)
  } catch (error) {
    if (isGone(error)) return ''
    if ((error as NodeJS.ErrnoException).code === 'EFBIG') return undefined
    throw error
  }
}
