import { canonicalAddress } from '../lib/address.ts'
import type { ListenAddress } from './config.ts'

/**
 * `IPv4:PORT` or `[IPv6]:PORT`. Names are not resolved: what they mean may change between two starts, and with it who
 * can reach the daemon.
 *
 * @returns undefined if `text` is neither
 */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:(\d+\.\d+\.\d+\.\d+)|\[([0-9a-fA-F:.]+)\]):(\d{1,5})$/.exec(text)
  if (!match) return undefined
  const host = canonicalAddress(match[1] ?? match[2]!)
  const port = Number(match[3])
  return host === undefined || port > 65_535 ? undefined : { host, port }
}

/** Does listening on `host` mean every address of the machine? */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}
