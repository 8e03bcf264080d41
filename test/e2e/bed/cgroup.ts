import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Where version 2 of the cgroup hierarchy is mounted here; undefined if nowhere. */
export function cgroupMount(): string | undefined {
  return ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((path) => existsSync(join(path, 'cgroup.procs')))
}

/** Makes the cgroup and all above it. */
export async function createCgroup(path: string): Promise<void> {
  await mkdir(path, { recursive: true })
}
