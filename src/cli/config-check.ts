import { ConfigError, problemLine } from '../config/config-error.ts'
import type { CliIo } from './cli-io.ts'
import { configFrom } from './config-options.ts'
import { configSummary } from './config-summary.ts'

/**
 * `metadatad config check`: every problem on a line of its own, or what the configuration means. With `--output json`
 * one object: `{valid, problems}` or `{valid, config}`.
 *
 * @returns the exit code: 0 valid, 2 not
 */
export async function configCheck(options: Readonly<Record<string, unknown>>, io: CliIo): Promise<number> {
  const json = options.output === 'json'
  const print = (lines: readonly string[]) => io.stdout.write(`${lines.join('\n')}\n`)
  try {
    const config = await configFrom(options, io)
    if (json) print([JSON.stringify({ valid: true, config }, undefined, 2)])
    else print(['configuration is valid', ...configSummary(config).map((line) => `  ${line}`)])
    return 0
  } catch (err) {
    if (!(err instanceof ConfigError)) throw err
    if (json) print([JSON.stringify({ valid: false, problems: err.problems }, undefined, 2)])
    else print([...err.problems.map(problemLine), err.message])
    return 2
  }
}
