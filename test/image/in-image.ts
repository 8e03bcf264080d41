import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { cannotNamespace, type NetNamespace, type Ran } from '../support/net-namespace.ts'

const BUILT = fileURLToPath(new URL('../../.cache/image/', import.meta.url))
const SCRIPTS = fileURLToPath(new URL('../../scripts/image/', import.meta.url))

/** The image as an archive that container runtimes load. */
export const ARCHIVE = `${BUILT}metadatad.tar`

/** The root file system that a container of the image sees. */
export const rootfs = () => realpathSync(`${BUILT}rootfs`)

/** Why there is no image to try; false if there is one. For tap's `skip`. */
export function cannotTryImage(): string | false {
  const lacking = cannotNamespace('unshare', 'setpriv', 'capsh')
  if (lacking !== false) return lacking
  if (!existsSync(`${BUILT}key`)) return 'the image is not built: scripts/image/build.sh'
  const key = execFileSync(`${SCRIPTS}key.sh`, { encoding: 'utf8' })
  return readFileSync(`${BUILT}key`, 'utf8') === key
    ? false
    : 'the image is not of these sources: scripts/image/build.sh'
}

/** The part of an OCI image configuration (image-spec, config.md) that a runtime goes by. */
export interface ImageConfig {
  readonly User: string
  readonly Env: readonly string[]
  readonly Entrypoint: readonly string[]
  readonly Labels: Readonly<Record<string, string>>
}

/** The configuration that the archive carries. */
export function readConfig(): ImageConfig {
  const member = (name: string) =>
    JSON.parse(execFileSync('tar', ['-xOf', ARCHIVE, name], { encoding: 'utf8' }))
  return member(member('manifest.json')[0].Config).config
}

/** What a manifest's securityContext says of a container. */
export interface Privileges {
  readonly uid: number
  /** Beside `drop: [ALL]`: `net_admin`. */
  readonly add?: readonly string[]
}

// Changing the root and giving up rights takes rights that are given up on the way.
const NEEDED = ['sys_chroot', 'setpcap', 'setuid', 'setgid']
// The root file system, read-only in a mount namespace of its own, with /proc and /dev alone. The test runner adds options for
// Node to every process that is started; they name files that the image does not have.
const ENTER = `
  unset NODE_OPTIONS
  root=$1 uid=$2 keep=$3 lost=$4; shift 4
  mount --bind "$root" "$root"
  mount -o remount,bind,ro "$root"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
  mount -t proc proc "$root/proc"
  exec setpriv --no-new-privs --bounding-set="$keep" --inh-caps=-all \\
    capsh --chroot="$root" --drop="$lost" --gid="$uid" --groups= --uid="$uid" --shell=/usr/bin/env -- "$@"`

/**
 * Runs a program of the image as a container of it does: its root file system read-only, its environment, processes and
 * network of its own, no new privileges, and no capabilities but those added.
 */
export function runInImage(
  namespace: NetNamespace,
  { uid, add = [] }: Privileges,
  ...command: string[]
): Promise<Ran> {
  const lost = NEEDED.filter((name) => !add.includes(name)).map((name) => `cap_${name}`)
  const keep = ['-all', ...[...NEEDED, ...add].map((name) => `+${name}`)]
  const shell = ['sh', '-ec', ENTER, 'enter', rootfs(), `${uid}`, keep.join(','), lost.join(',')]
  return namespace.run(
    'unshare',
    ['--mount', '--pid', '--fork', '--kill-child', '--', ...shell, ...command],
    {
      env: Object.fromEntries(readConfig().Env.map((entry) => entry.split(/=(.*)/s, 2))),
    },
  )
}
