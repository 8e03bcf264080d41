import { run } from './bed/run.ts'
import { runHere } from './bed/run-here.ts'

/** What there is of the interception, by the word of the kernel. */
export interface InPlace {
  /** Equal while nothing is missing. */
  readonly summary: string
  /** The rules of the table. */
  readonly rules: readonly { readonly chain: string; readonly handle: number }[]
}

interface Listed {
  readonly nftables: readonly { rule?: { chain: string; handle: number } }[]
}

/** Looks. */
export async function whatIsInPlace(): Promise<InPlace> {
  const table = await runHere('nft', ['-j', '-a', 'list', 'table', 'inet', 'metadatad'])
  const listed: Listed = table.status === 0 ? JSON.parse(table.stdout) : { nftables: [] }
  const rules = listed.nftables.flatMap(({ rule }) => (rule === undefined ? [] : [rule]))
  const chains = rules.map(({ chain }) => chain).sort()
  const [addresses, ipv4, ipv6] = await Promise.all([
    run('ip', '-o', 'addr', 'show', 'dev', 'lo'),
    run('ip', 'rule'),
    run('ip', '-6', 'rule'),
  ])
  const spelled = [...addresses.matchAll(/inet6? (\S+)/g)].map(([, address]) => address).sort()
  const sorted = (text: string) => text.trim().split('\n').sort()
  const summary = JSON.stringify({ spelled, ipv4: sorted(ipv4), ipv6: sorted(ipv6), chains })
  return { summary, rules }
}
