import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const MODULE = join(import.meta.dirname, '../programs')

/**
 * Compiles the program that metadatad is measured against, once for what it is made of: seconds where Go has compiled Kubernetes'
 * programs before, a minute or two otherwise.
 *
 * @param folder that `ensurePrograms` gave: beside what is made from the same modules
 * @returns the program
 */
export async function buildFullWatch(folder: string): Promise<string> {
  const source = await readFile(join(MODULE, 'full-watch/main.go'))
  const program = join(folder, `full-watch-${createHash('sha256').update(source).digest('hex').slice(0, 16)}`)
  if (existsSync(program)) return program
  const unfinished = `${program}.${process.pid}`
  // The flags of Kubernetes' programs, so that what was compiled for them is used again.
  const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', unfinished, './full-watch']
  const env = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '' }
  await promisify(execFile)('go', args, { cwd: MODULE, env })
  await rename(unfinished, program)
  return program
}
