import type { HostFiles } from './host-files.ts'
import { isGone } from './is-gone.ts'

/** The top of the kubelet's cgroup tree in one hierarchy. */
export interface KubepodsRoot {
  readonly path: string
  /** What the names below begin with, for the systemd driver (`kubepods`, `kubelet-kubepods`); undefined for cgroupfs. */
  readonly slice: string | undefined
}

const QOS = ['burstable', 'besteffort'] as const
/** The kubelet runs no more than a few hundred pods; what is beyond is not looked at. */
const MAX_PODS = 2_048

/**
 * Finds the kubelet's cgroups in one hierarchy: `kubepods` of the cgroupfs driver, `kubepods.slice` of the systemd driver,
 * at its top or below one `--cgroup-root` (`kubelet/kubepods`, `kubelet.slice/kubelet-kubepods.slice`).
 */
export async function findKubepods(files: HostFiles, hierarchy: string): Promise<KubepodsRoot[]> {
  const found: KubepodsRoot[] = []
  const top = await files.directories(hierarchy)
  if (top.includes('kubepods')) found.push({ path: `${hierarchy}/kubepods`, slice: undefined })
  if (top.includes('kubepods.slice')) found.push({ path: `${hierarchy}/kubepods.slice`, slice: 'kubepods' })
  for (const name of top) {
    const slice = name.endsWith('.slice') ? `${name.slice(0, -'.slice'.length)}-kubepods` : undefined
    const wanted = slice === undefined ? 'kubepods' : `${slice}.slice`
    const path = `${hierarchy}/${name}`
    const below = await directoriesIfThere(files, path)
    if (name !== 'kubepods' && below.includes(wanted)) found.push({ path: `${path}/${wanted}`, slice })
  }
  return found
}

/**
 * The directories of the pods, by UID. Only the kubelet's exact spelling at its exact depth counts (kubelet's
 * `pkg/kubelet/cm`: `pod` and the UID, with `_` for `-` under systemd): what a container makes inside its own cgroup is deeper.
 */
export async function podDirectories(
  files: HostFiles,
  roots: readonly KubepodsRoot[],
): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const { path, slice } of roots) {
    await collect(files, path, slice, found)
    for (const qos of QOS) {
      const name = slice === undefined ? qos : `${slice}-${qos}.slice`
      await collect(files, `${path}/${name}`, slice === undefined ? undefined : `${slice}-${qos}`, found)
    }
  }
  return found
}

async function collect(
  files: HostFiles,
  path: string,
  slice: string | undefined,
  into: Map<string, string>,
): Promise<void> {
  for (const name of await directoriesIfThere(files, path)) {
    const uid = podUid(name, slice)
    if (uid !== undefined && !into.has(uid) && into.size < MAX_PODS) into.set(uid, `${path}/${name}`)
  }
}

/**
 * The UID that a pod's cgroup directory is named after.
 *
 * @param slice the slice that it lies in, without `.slice`; undefined for the cgroupfs driver
 */
export function podUid(name: string, slice: string | undefined): string | undefined {
  if (slice === undefined) return /^pod([0-9A-Za-z-]{1,64})$/.exec(name)?.[1]
  if (!name.startsWith(`${slice}-pod`)) return undefined
  return /^([0-9A-Za-z_]{1,64})\.slice$/.exec(name.slice(slice.length + 4))?.[1]?.replaceAll('_', '-')
}

async function directoriesIfThere(files: HostFiles, path: string): Promise<readonly string[]> {
  try {
    return await files.directories(path)
  } catch (error) {
    if (isGone(error)) return []
    throw error
  }
}
