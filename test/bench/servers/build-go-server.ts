import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const SOURCE = fileURLToPath(new URL('net_http.go', import.meta.url))

/**
 * Compiles the Go server into `directory`.
 *
 * @returns the program and the compiler's version; undefined where there is no Go
 */
export async function buildGoServer(
  directory: string,
): Promise<{ program: string; version: string } | undefined> {
  const program = join(directory, 'net_http')
  try {
    const { stdout } = await promisify(execFile)('go', ['env', 'GOVERSION'])
    await promisify(execFile)('go', ['build', '-o', program, SOURCE])
    return { program, version: stdout.trim() }
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw err
  }
}
