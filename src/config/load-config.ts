import { hostname } from 'node:os'
import * as v from 'valibot'
import { checkCombinations } from './check-combinations.ts'
import type { Config } from './config.ts'
import { ConfigError, type ConfigProblem } from './config-error.ts'
import { distill } from './distill.ts'
import { CONFIG_LEAVES, type Leaf } from './leaves.ts'
import { type ConfigFile, readConfigFile } from './read-file.ts'
import { readEnvironment, readFlags } from './read-text-settings.ts'
import { configSchema } from './schema.ts'
import type { Setting, Settings } from './settings.ts'

/** Where a configuration comes from; a later one of file, environment and flags wins, key by key. */
export interface ConfigSources {
  readonly file?: ConfigFile | undefined
  /** `METADATAD_*` variables, and `NODE_NAME`. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** By key (`google.projectId`), as text; several texts where the flag was repeated. */
  readonly flags: Readonly<Record<string, string | readonly string[] | undefined>>
}

/**
 * Reads, merges and checks all of them.
 *
 * @throws ConfigError (code `CONFIG_INVALID`) with every problem of every source
 */
export function loadConfig({ file, env, flags }: ConfigSources): Config {
  const layers: Settings[] = [
    nodeName(env),
    ...(file ? [readConfigFile(file)] : []),
    readEnvironment(env),
    readFlags(flags),
  ]
  const values = new Map<string, Setting>()
  const sections = new Map<string, string>()
  for (const layer of layers) {
    for (const [key, setting] of layer.values) {
      values.set(key, setting)
      const [section = key] = key.split('.', 1)
      if (!sections.has(section)) sections.set(section, setting.source)
    }
    for (const [key, source] of layer.sections) sections.set(key, source)
  }

  const parsed = v.safeParse(configSchema, nest(values))
  const problems: ConfigProblem[] = [
    ...layers.flatMap((layer) => layer.problems),
    ...(parsed.issues ?? []).flatMap((issue) => toProblems(issue, values)),
    ...(layers.some((layer) => layer.unreadable) ? [] : checkCombinations({ values, sections })),
  ]
  if (problems.length > 0 || !parsed.success) throw new ConfigError(problems)
  return distill(parsed.output)
}

/** What the node is called unless a key says otherwise: the kubelet registers it under the host name in lower case. */
function nodeName(env: ConfigSources['env']): Settings {
  const setting = env.NODE_NAME
    ? { value: env.NODE_NAME, source: 'NODE_NAME' }
    : { value: hostname().toLowerCase(), source: 'host name' }
  return { values: new Map([['node.name', setting]]), sections: new Map(), problems: [] }
}

function nest(values: ReadonlyMap<string, Setting>): object {
  const root: Record<string, unknown> = {}
  for (const [key, { value }] of values) {
    const path = key.split('.')
    const name = path.pop()!
    let section = root
    for (const part of path) {
      section[part] ??= {}
      section = section[part] as Record<string, unknown>
    }
    section[name] = value
  }
  return root
}

function toProblems(issue: v.BaseIssue<unknown>, values: ReadonlyMap<string, Setting>): ConfigProblem[] {
  const path = (issue.path ?? []).map((item) => String(item.key))
  const leaf = CONFIG_LEAVES.find(({ key }) => key === path.slice(0, key.split('.').length).join('.'))
  // A section that lacks a required key: `checkCombinations` tells it better.
  if (leaf === undefined || !values.has(leaf.key)) return []
  const setting = values.get(leaf.key)!
  const part = path.slice(leaf.key.split('.').length)
  const spelled = part.map((name) => (/^\d+$/.test(name) ? `[${name}]` : `.${name}`)).join('')
  return [
    {
      key: leaf.key + spelled,
      source: sourceOf(setting, part),
      message: issue.type === 'strict_object' ? objectMessage(leaf.key, issue) : issue.message,
      suggestion: `for example ${inTheirWords(leaf, setting)}`,
    },
  ]
}

/** The innermost part of the value whose place is known. */
function sourceOf(setting: Setting, part: readonly string[]): string {
  for (let length = part.length; length > 0; length--) {
    const source = setting.partSources?.get(part.slice(0, length).join('.'))
    if (source !== undefined) return source
  }
  return setting.source
}

const PARTS: Readonly<Record<string, string>> = {
  rules: 'a rule: namespace, serviceAccount, identity, allow',
  'azure.identities': 'an identity: clientId, objectId, resourceId, principalId',
}

/** Only an entry of a list can fail so: sections are made of known keys. */
function objectMessage(key: string, issue: v.BaseIssue<unknown>): string {
  if (issue.expected === 'never') return `is not a part of ${PARTS[key]}`
  return issue.received === 'undefined' ? 'is required' : `must be ${PARTS[key]}`
}

function inTheirWords(leaf: Leaf, { source }: Setting): string {
  if (source === leaf.flag) return `${leaf.flag} ${leaf.example}`
  if (source === leaf.env) return `${leaf.env}=${leaf.example}`
  return `${leaf.key}: ${leaf.kind === 'list' ? `[${leaf.example}]` : leaf.example}`
}
