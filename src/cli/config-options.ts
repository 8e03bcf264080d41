import { type Command, Option } from 'commander'
import type { Config } from '../config/config.ts'
import { CONFIG_LEAVES, type Leaf } from '../config/leaves.ts'
import { loadConfig } from '../config/load-config.ts'
import type { CliIo } from './cli-io.ts'
import { readTextFile } from './read-text-file.ts'

/** Adds `--config` and one flag for every key of the configuration. */
export function addConfigOptions(command: Command): Command {
  command.option('-c, --config <file>', 'configuration file (YAML)')
  for (const leaf of CONFIG_LEAVES) {
    if (leaf.flag !== undefined) command.addOption(optionOf(leaf, leaf.flag))
  }
  return command
}

/**
 * The configuration that the command line, the environment and the file make together.
 *
 * @param options what commander parsed for a command of {@link addConfigOptions}
 * @throws ConfigError
 */
export async function configFrom(options: Readonly<Record<string, unknown>>, io: CliIo): Promise<Config> {
  const file = typeof options.config === 'string' ? await readTextFile(options.config) : undefined
  const flags: Record<string, string | string[]> = {}
  for (const leaf of CONFIG_LEAVES) {
    const value = leaf.flag && options[new Option(`${leaf.flag} <value>`).attributeName()]
    if (value !== undefined) flags[leaf.key] = value as string | string[]
  }
  return loadConfig({ file, env: io.env, flags })
}

function optionOf(leaf: Leaf, flag: string): Option {
  const [section = '', name] = leaf.key.split('.')
  const fallback = leaf.default === undefined ? '' : ` (default: ${String(leaf.default) || 'none'})`
  const option = new Option(
    `${flag} <${leaf.kind === 'text' ? 'value' : leaf.kind}>`,
    leaf.description + fallback,
  )
  option.helpGroup(name === undefined ? 'Other keys:' : `Keys of ${section}:`)
  if (leaf.kind === 'list') {
    option.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text])
  }
  return option
}
