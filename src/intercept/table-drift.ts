import type { Drift } from './interception.ts'
import type { ListedRule, ListedTable } from './listed-table.ts'

/** The chain that is there only where the reverse-path rule is. */
export const OPTIONAL_CHAIN = 'reverse'

/**
 * What of the table is not as it should be.
 *
 * @param wanted the same rules, as the same `nft` lists them, with every optional chain
 */
export function tableDrift(listed: ListedTable, wanted: ListedTable): Drift[] {
  const drift: Drift[] = []
  const found = (what: Drift['what'], message: string) => drift.push({ what, message })
  if (!listed.active) found('table', 'the table is switched off')

  const optional = `chain ${OPTIONAL_CHAIN}`
  for (const [name, definition] of wanted.definitions) {
    const actual = listed.definitions.get(name)
    if (actual === definition || (actual === undefined && name === optional)) continue
    found('table', `the ${name} is ${actual === undefined ? 'missing' : 'not defined as it should be'}`)
  }
  for (const name of listed.definitions.keys()) {
    if (!wanted.definitions.has(name)) found('table', `the ${name} is not ours`)
  }
  for (const name of wanted.definitions.keys()) {
    // What is said of a chain that is missing is enough.
    if (!name.startsWith('chain ') || !listed.definitions.has(name)) continue
    const chain = name.slice('chain '.length)
    const messages = chainDrift(chain, listed.rules.get(chain) ?? [], wanted.rules.get(chain) ?? [])
    for (const message of messages) found('rule', message)
  }
  return drift
}

function chainDrift(chain: string, listed: readonly ListedRule[], wanted: readonly ListedRule[]): string[] {
  const messages: string[] = []
  const left = listed.map(({ canonical }) => canonical)
  for (const { canonical, comment } of wanted) {
    const at = left.indexOf(canonical)
    if (at >= 0) left.splice(at, 1)
    else messages.push(`the rule "${comment}" of the chain ${chain} is missing or changed`)
  }
  if (left.length > 0) messages.push(`the chain ${chain} has ${left.length} rule(s) that are not ours`)
  const inOrder = listed.every(({ canonical }, i) => canonical === wanted[i]?.canonical)
  if (messages.length === 0 && !inOrder) messages.push(`the rules of the chain ${chain} are in another order`)
  return messages
}
