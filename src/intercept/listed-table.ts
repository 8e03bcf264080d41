import { arrayOf, objectOf, textOf } from './json-values.ts'

/** One rule as listed. */
export interface ListedRule {
  readonly comment: string
  /** Everything of it that matters, spelled one way. */
  readonly canonical: string
}

/** A table as `nft -j list table` prints it (libnftables-json(5)), without handles, counters and elements. */
export interface ListedTable {
  /** Has it no flags? A dormant table does nothing. */
  readonly active: boolean
  /** Chains, sets and maps by kind and name (`chain raw`); everything else that is in a table too. */
  readonly definitions: ReadonlyMap<string, string>
  /** The rules by chain, in order. */
  readonly rules: ReadonlyMap<string, readonly ListedRule[]>
  /** The elements of sets and maps by name, as listed. */
  readonly elements: ReadonlyMap<string, readonly unknown[]>
}

/** @param listed the JSON, parsed; whatever is not understood counts as something that is there */
export function listedTable(listed: unknown): ListedTable {
  let active = true
  const definitions = new Map<string, string>()
  const rules = new Map<string, ListedRule[]>()
  const elements = new Map<string, readonly unknown[]>()
  for (const entry of arrayOf(objectOf(listed).nftables)) {
    const [[kind, value] = ['', undefined]] = Object.entries(objectOf(entry))
    if (kind === 'metainfo') continue
    const { handle: _, table: __, name, elem, comment, ...rest } = objectOf(value)
    if (kind === 'table') active = rest.flags === undefined
    else if (kind === 'rule') {
      const chain = textOf(rest.chain)
      const rule = { comment: textOf(comment ?? ''), canonical: canonical({ comment, ...rest }) }
      rules.set(chain, [...(rules.get(chain) ?? []), rule])
    } else {
      definitions.set(`${kind} ${textOf(name)}`, canonical(rest))
      if (elem !== undefined) elements.set(textOf(name), arrayOf(elem))
    }
  }
  return { active, definitions, rules, elements }
}

/** JSON with sorted keys; the members of an anonymous set have no order, and what a counter counted is no difference. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const parts = Object.entries(value)
    .filter(([, part]) => part !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, part]) => {
      if (key === 'set' && Array.isArray(part)) return `"set":[${part.map(canonical).sort().join(',')}]`
      return `${JSON.stringify(key)}:${key === 'counter' ? 'null' : canonical(part)}`
    })
  return `{${parts.join(',')}}`
}
