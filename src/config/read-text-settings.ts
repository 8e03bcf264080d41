import type { ConfigProblem } from './config-error.ts'
import { CONFIG_LEAVES } from './leaves.ts'
import { type Setting, type Settings, valueFromText } from './settings.ts'
import { unknownVariable } from './unknown-key.ts'

/** What Kubernetes sets for a Service whose name begins with `metadatad`, in every pod of its namespace. */
const SERVICE_LINK =
  /_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/

/** The settings that `METADATAD_*` variables make; one that belongs to no key is a problem. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Settings {
  const values = new Map<string, Setting>()
  const known = new Set<string>()
  for (const leaf of CONFIG_LEAVES) {
    if (leaf.env === undefined) continue
    known.add(leaf.env)
    const text = env[leaf.env]
    if (text !== undefined) values.set(leaf.key, { value: valueFromText(leaf, [text]), source: leaf.env })
  }
  const problems: ConfigProblem[] = []
  for (const name of Object.keys(env).sort()) {
    if (name.startsWith('METADATAD_') && !known.has(name) && !SERVICE_LINK.test(name))
      problems.push(unknownVariable(name))
  }
  return { values, sections: new Map(), problems }
}

/** The settings that flags make: their values by key, a text or each text of a repeated flag. */
export function readFlags(flags: Readonly<Record<string, string | readonly string[] | undefined>>): Settings {
  const values = new Map<string, Setting>()
  for (const leaf of CONFIG_LEAVES) {
    const given = flags[leaf.key]
    if (given === undefined || leaf.flag === undefined) continue
    values.set(leaf.key, {
      value: valueFromText(leaf, typeof given === 'string' ? [given] : given),
      source: leaf.flag,
    })
  }
  return { values, sections: new Map(), problems: [] }
}
