import { mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ran } from '../../support/net-namespace.ts'
import type { BedPod } from '../bed/pod.ts'

const CLIENT_MS = 60_000
const MOUNT =
  'mount --bind "$0" /etc/hosts && mount --bind "$1" /etc/resolv.conf && shift && exec env -i "$@"'

/** A program that uses a cloud's library as anybody would. */
export interface ContainerProgram {
  readonly program: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/**
 * Runs a program in a container of the pod: with a hosts file and a resolver of its own (which knows nothing and says so at
 * once), a new home, and nothing in its environment that would tell it where it is.
 *
 * @param directory where files may be left behind
 * @param hosts the hosts file
 */
export async function asInContainer(
  pod: BedPod,
  directory: string,
  hosts: string,
  { program, args, env }: ContainerProgram,
): Promise<Ran> {
  const home = await mkdtemp(join(directory, 'home-'))
  const resolver = join(home, 'resolv.conf')
  await writeFile(resolver, 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n')
  // An empty PATH unless `env` has one: Google's Node library would ask a gcloud that it finds for its project.
  const all = { HOME: home, PATH: home, CLOUDSDK_CONFIG: join(home, 'gcloud'), ...env }
  const variables = Object.entries(all).map(([name, value]) => `${name}=${value}`)
  const command = [...variables, program, ...args]
  return pod.run('unshare', ['--mount', 'sh', '-c', MOUNT, hosts, resolver, ...command], {
    timeoutMs: CLIENT_MS,
  })
}
