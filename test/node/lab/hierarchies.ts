import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const MOUNTS = '/sys/fs/cgroup'

/** The names of the cgroup hierarchies that are mounted here, where version 1 has one for each controller; else none. */
export function hierarchies(): readonly string[] {
  if (!existsSync(MOUNTS) || existsSync(join(MOUNTS, 'cgroup.procs'))) return []
  return readdirSync(MOUNTS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(MOUNTS, entry.name, 'cgroup.procs')))
    .map(({ name }) => name)
}

/** The folder of a cgroup in a hierarchy. */
export function cgroupFolder(hierarchy: string, cgroup: string): string {
  return join(MOUNTS, hierarchy, cgroup)
}
