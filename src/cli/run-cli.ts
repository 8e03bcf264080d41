import { CommanderError } from 'commander'
import { ConfigError, problemLine } from '../config/config-error.ts'
import { MetadatadError } from '../lib/errors.ts'
import type { CliIo } from './cli-io.ts'
import { createProgram } from './create-program.ts'

/**
 * Runs one command line, without the program's own name. Never throws: what fails is told on stderr.
 *
 * @returns the exit code: 0 done, 1 failed, 2 usage or configuration
 */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  let exitCode = 0
  try {
    const program = createProgram(io, (code) => {
      exitCode = code
    })
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (err) {
    // commander has printed its own complaint, or the help that was asked for.
    if (err instanceof CommanderError) return err.exitCode === 0 ? 0 : 2
    io.stderr.write(failure(err))
    return err instanceof MetadatadError && err.code === 'CONFIG_INVALID' ? 2 : 1
  }
}

function failure(err: unknown): string {
  if (err instanceof ConfigError) {
    return [...err.problems.map(problemLine), `metadatad: ${err.code}: ${err.message}`, ''].join('\n')
  }
  if (err instanceof MetadatadError && err.code === 'CONFIG_INVALID')
    return `metadatad: ${err.code}: ${err.message}\n`
  if (err instanceof MetadatadError) return `metadatad: ${err.code}: ${err.message}. ${err.publicMessage}\n`
  return `metadatad: unexpected failure: ${err instanceof Error ? err.stack : String(err)}\n`
}
