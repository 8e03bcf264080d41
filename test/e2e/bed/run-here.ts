import { execFile } from 'node:child_process'
import type { Ran } from '../../support/net-namespace.ts'

/** Runs a program in the node's namespace, which is this process's own, to its end, whatever its status. */
export function runHere(program: string, args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { timeout: 30_000, killSignal: 'SIGKILL' } as const
    const child = execFile(program, args, options, (_err, stdout, stderr) => {
      resolve({ status: child.exitCode, stdout, stderr })
    })
  })
}
