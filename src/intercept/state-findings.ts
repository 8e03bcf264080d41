import type { Finding } from './finding.ts'
import type { Interception, InterceptState } from './interception.ts'

const ADVICE = 'Run `metadatad intercept install`; if it comes back, another program changes it.'

/** What the kernel holds, item by item, for a person. */
export function stateFindings(
  { captures }: Pick<Interception, 'captures'>,
  state: InterceptState,
): Finding[] {
  const { generation, ports, served, drift } = state
  const inPlace = (what: string, kinds: readonly string[]): Finding[] =>
    drift.some((one) => kinds.includes(one.what)) ? [] : [{ ok: true, what }]
  return [
    ...inPlace('the rules (nft list table inet metadatad)', ['table', 'rule']),
    ...inPlace('the addresses on lo', ['address']),
    ...inPlace('the second lock (ip rule, preferences 2 to 4)', ['route']),
    ...drift.map(({ message }) => ({ ok: false, what: message, advice: ADVICE })),
    ...captures
      .filter(() => generation !== undefined)
      .map(({ original, primary }) => {
        const port = ports.get(original.host) ?? primary.port
        const now = served.get(original.host)?.has(port)
          ? 'served now'
          : 'not served at the moment: pods wait'
        return { ok: true, what: `${original.host} port 80 arrives at ${primary.host} port ${port}, ${now}` }
      }),
  ]
}
