import { cgroupProcesses } from './cgroup-processes.ts'
import { type HostFiles, hostFiles } from './host-files.ts'
import { isGone } from './is-gone.ts'
import { findKubepods, type KubepodsRoot, podDirectories } from './pod-directories.ts'

/** The host's processes and cgroups, as far as proof needs them. */
export interface HostView {
  readonly files: HostFiles
  /** The host's `/proc`. */
  readonly procRoot: string
  /** The inodes of the namespaces that are the host's own: see `namespaceInode`. */
  readonly hostNamespaces: readonly number[]
  /** The cgroup directories of the pods, by UID, as the kubelet has made them. */
  podDirectories(): Promise<ReadonlyMap<string, string>>
}

const MAX_CONTROLLERS = 4_096

/** Where the host's view is. */
export interface HostViewOptions {
  /** The host's `/proc`: the daemon's own under `hostPID`. */
  readonly procRoot: string
  /** Where the host's cgroup hierarchies are mounted: version 2, version 1, or both. */
  readonly cgroupRoot: string
  /** The machine's own unless said otherwise. */
  readonly files?: HostFiles | undefined
}

/**
 * Looks whether the host can be seen: a hierarchy with the kubelet's cgroups in it, whose process ids are those of `/proc`
 * (the kernel shows processes of other pid namespaces as 0; cgroups(7), "cgroup.procs").
 *
 * @returns undefined if it can't: nothing can be proved
 */
export async function openHostView(options: HostViewOptions): Promise<HostView | undefined> {
  const { procRoot, cgroupRoot, files = hostFiles } = options
  const view = (roots: readonly KubepodsRoot[], hostNamespaces: readonly number[]): HostView => ({
    files,
    procRoot,
    hostNamespaces,
    podDirectories: () => podDirectories(files, roots),
  })
  try {
    const own = await files.inode(`${procRoot}/self/net/tcp`)
    const host = [own, await files.inode(`${procRoot}/1/net/tcp`)]
    let empty: HostView | undefined
    for (const hierarchy of await hierarchies(files, cgroupRoot)) {
      const roots = await findKubepods(files, hierarchy)
      const pids = await podProcesses(files, roots)
      if (pids.includes(0)) return undefined
      if (pids.length > 0) return view(roots, host)
      if (roots.length > 0) empty ??= view(roots, host)
    }
    return empty
  } catch (error) {
    if (isGone(error) || isDenied(error)) return undefined
    throw error
  }
}

/** That of version 2, or those of version 1: `unified` of a hybrid and `name=systemd` first. */
async function hierarchies(files: HostFiles, cgroupRoot: string): Promise<readonly string[]> {
  try {
    await files.readFile(`${cgroupRoot}/cgroup.controllers`, MAX_CONTROLLERS)
    return [cgroupRoot]
  } catch (error) {
    if (!isGone(error)) throw error
  }
  const names = [...(await files.directories(cgroupRoot))].sort()
  const first = ['unified', 'systemd'].filter((name) => names.includes(name))
  return [...first, ...names.filter((name) => !first.includes(name))].map((name) => `${cgroupRoot}/${name}`)
}

async function podProcesses(files: HostFiles, roots: readonly KubepodsRoot[]): Promise<number[]> {
  const pids: number[] = []
  for (const directory of (await podDirectories(files, roots)).values()) {
    for (const { pid } of await cgroupProcesses(files, directory)) pids.push(pid)
  }
  return pids
}

function isDenied(error: unknown): boolean {
  return error instanceof Error && ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')
}
