import { fileURLToPath } from 'node:url'
import { runProgram } from '../run-program.ts'

const BUILD = fileURLToPath(new URL('../../../scripts/image/build.sh', import.meta.url))
const ARCHIVE = fileURLToPath(new URL('../../../.cache/image/metadatad.tar', import.meta.url))
const LIMIT_MS = 900_000

/** An archive of the daemon's image, built from the Dockerfile and the sources as they are now. */
export async function ensureDaemonImage(say: (line: string) => void): Promise<string> {
  say("building the daemon's image, where it has changed")
  await runProgram(BUILD, [], { timeoutMs: LIMIT_MS })
  return ARCHIVE
}
