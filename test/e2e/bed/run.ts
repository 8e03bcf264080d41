import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/**
 * Runs a program in the node's namespace, which is this process's own, to its end.
 *
 * @returns what it printed
 * @throws Error with what it said, if it fails or takes longer than 30 s
 */
export async function run(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { timeout: 30_000, killSignal: 'SIGKILL' })
  return stdout
}
