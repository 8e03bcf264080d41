import { isIPv4 } from 'node:net'
import { endianness } from 'node:os'

/** One end of a TCP connection; the address is spelled by `canonicalAddress`. */
export interface TcpEnd {
  readonly address: string
  readonly port: number
}

/**
 * What follows the remote end in a row that proves: the state, and an inode that is not 0. `TCP_ESTABLISHED` is 01, `TCP_FIN_WAIT1`
 * 04 and `TCP_FIN_WAIT2` 05 (include/net/tcp_states.h); between state and inode are queues, timer, retransmits, uid, timeout.
 */
const OPEN =
  /(?:01|04|05) [0-9A-F]{8}:[0-9A-F]{8} [0-9A-F]{2}:[0-9A-F]{8,16} [0-9A-F]{8} +\d{1,10} +\d{1,10} [1-9]\d{0,19} /y

/** The TCP sockets of one network namespace as they were while they were read. */
export class TcpTables {
  readonly #tcp: Table
  readonly #tcp6: Table
  /** Of both tables together, in characters. */
  readonly length: number

  /** `/proc/PID/net/tcp` and `/proc/PID/net/tcp6` (proc_pid_net(5)). Anything else in them is passed over. */
  constructor(tcp: string, tcp6: string) {
    this.#tcp = new Table(tcp)
    this.#tcp6 = new Table(tcp6)
    this.length = tcp.length + tcp6.length
  }

  /**
   * Is there a socket that somebody holds (its inode is not 0, as that of a `TIME_WAIT` or orphaned one is), whose ends are
   * these and that has not been told by its peer that the connection is over? A client that has closed its own half is
   * still waiting for an answer (`FIN_WAIT`); one in `CLOSE_WAIT` got our end's `FIN`, so what it was connected to is not a
   * connection that is open here: counting it would let a neighbour that took the address reuse the forgotten port.
   *
   * IPv4 connections of dual-stack sockets are in the IPv6 table, as `::ffff:a.b.c.d`.
   */
  has(local: TcpEnd, remote: TcpEnd): boolean {
    const isV4 = isIPv4(local.address)
    if (isV4 !== isIPv4(remote.address)) return false
    if (isV4 && this.#tcp.openTo(ipv4End(remote)).has(ipv4End(local))) return true
    return this.#tcp6.openTo(ipv6End(remote)).has(ipv6End(local))
  }
}

/**
 * One table. A pod may have tens of thousands of sockets, of which few are connected to a metadata address, and may ask for
 * thousands of connections at a time: rows are looked for by their remote end, once for each.
 */
class Table {
  readonly #text: string
  readonly #locals = new Map<string, ReadonlySet<string>>()

  constructor(text: string) {
    this.#text = text
  }

  /** The local ends of the open sockets with this remote end. */
  openTo(remote: string): ReadonlySet<string> {
    const known = this.#locals.get(remote)
    if (known !== undefined) return known
    const locals = new Set<string>()
    const text = this.#text
    const wanted = ` ${remote} `
    for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
      OPEN.lastIndex = at + wanted.length
      const start = at - remote.length
      if (OPEN.test(text) && text.startsWith(': ', start - 2)) locals.add(text.slice(start, at))
    }
    this.#locals.set(remote, locals)
    return locals
  }
}

function ipv4End({ address, port }: TcpEnd): string {
  return `${words(ipv4Bytes(address))}:${hex(port)}`
}

function ipv6End({ address, port }: TcpEnd): string {
  return `${words(ipv6Bytes(address))}:${hex(port)}`
}

/** The kernel prints addresses as words of the machine's own byte order. */
function words(bytes: Buffer): string {
  const ordered = endianness() === 'LE' ? Buffer.from(bytes).swap32() : bytes
  return ordered.toString('hex').toUpperCase()
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0')
}

function ipv4Bytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number))
}

function ipv6Bytes(address: string): Buffer {
  if (isIPv4(address))
    return Buffer.concat([Buffer.from('00000000000000000000ffff', 'hex'), ipv4Bytes(address)])
  const [head = '', tail] = address.split('::') as [string, string?]
  const groups = (part: string) => (part === '' ? [] : part.split(':'))
  const left = groups(head)
  const right = groups(tail ?? '')
  const zeros = Array.from({ length: tail === undefined ? 0 : 8 - left.length - right.length }, () => '0')
  return Buffer.from([...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join(''), 'hex')
}
