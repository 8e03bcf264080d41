import { CONFIG_LEAVES, type Leaf } from '../src/config/leaves.ts'

/** docs/configuration.md, made from the schema. */
export function configurationPage(): string {
  const sections = Map.groupBy(CONFIG_LEAVES, ({ key }) =>
    key.includes('.') ? key.slice(0, key.indexOf('.')) : '',
  )
  const { '': single = [], ...named } = Object.fromEntries(sections)
  return [
    '# Configuration',
    '',
    '<!-- Made from the schema by `npm run docs`. -->',
    '',
    'A YAML 1.2 file, named by `--config`. Every key is also a flag and an environment variable; a flag wins over the',
    'environment, the environment over the file, the file over the default. Lists are written with commas, or by repeating the',
    'flag. Durations are whole numbers with `s`, `m` or `h`. Addresses are `IPv4:PORT` or `[IPv6]:PORT`.',
    '',
    '`metadatad config check --config FILE` reports every problem at once, with its line; `metadatad config schema` prints the',
    'JSON Schema for editors. YAML aliases and tags are not read. A variable that begins with `METADATAD_` and belongs to no key',
    'is a problem, except those that Kubernetes sets for a Service of that name.',
    '',
    'A cloud without a section is off: its paths answer "not found" in its own words. At least one has to be there.',
    '',
    '```yaml',
    ...example(),
    '```',
    ...Object.entries(named).flatMap(([name, leaves]) => ['', `## ${name}`, '', ...table(leaves!)]),
    '',
    '## Other keys',
    '',
    ...table(single),
    '',
  ].join('\n')
}

function table(leaves: readonly Leaf[]): string[] {
  return [
    '| key | default | what it is | flag | variable |',
    '|---|---|---|---|---|',
    ...leaves.map((leaf) =>
      [
        `| \`${leaf.key}\``,
        fallback(leaf),
        leaf.description.replaceAll('|', '\\|'),
        leaf.flag ? `\`${leaf.flag}\`` : 'file only',
        leaf.env ? `\`${leaf.env}\` |` : 'file only |',
      ].join(' | '),
    ),
  ]
}

function fallback(leaf: Leaf): string {
  if (leaf.default === undefined) return ''
  if (Array.isArray(leaf.default)) return leaf.default.map((item) => `\`${item}\``).join(', ') || 'none'
  return `\`${String(leaf.default)}\``
}

/** A file that has one example value of every key that makes sense together. */
function example(): string[] {
  const lines: string[] = []
  let open: readonly string[] = []
  for (const leaf of CONFIG_LEAVES) {
    if (/^google\.(?:identity|audience)/.test(leaf.key)) continue
    const path = leaf.key.split('.')
    const name = path.pop()!
    path.forEach((section, depth) => {
      if (open.slice(0, depth + 1).join('.') !== path.slice(0, depth + 1).join('.')) {
        lines.push(`${'  '.repeat(depth)}${section}:`)
      }
    })
    open = path
    lines.push(`${'  '.repeat(path.length)}${name}: ${yamlValue(leaf)}`)
  }
  return lines
}

function yamlValue({ kind, example }: Leaf): string {
  const text = kind === 'text' && /[:{}]/.test(example) ? JSON.stringify(example) : example
  return kind === 'list' ? `[${JSON.stringify(example)}]` : text
}
