import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** For one that hangs: on a starved machine some need a minute to start. */
const CLIENT_MS = 240_000

/**
 * Runs a program that uses a cloud's library as anybody would, with nothing in its environment but `env` and a home
 * directory of its own: no key file, no configuration and no login of this machine is in reach.
 *
 * @returns what it printed
 * @throws Error with its standard error, if it fails
 */
export async function runClient(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'metadatad-client-'))
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      cwd: home,
      // An empty PATH unless `env` has one: Google's Node library would ask a gcloud that it finds for its project.
      env: { HOME: home, PATH: home, CLOUDSDK_CONFIG: join(home, 'gcloud'), ...env },
      timeout: CLIENT_MS,
    })
    return stdout
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}
