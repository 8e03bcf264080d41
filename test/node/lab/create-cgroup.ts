import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { cgroupFolder, hierarchies } from './hierarchies.ts'

/**
 * Makes a cgroup in every hierarchy, below one that exists.
 *
 * @param shares of the processors' time, beside its siblings: `cpu.shares`
 */
export async function createCgroup(cgroup: string, shares: number): Promise<void> {
  for (const hierarchy of hierarchies()) {
    const folder = cgroupFolder(hierarchy, cgroup)
    await mkdir(folder)
    // A new cpuset has no CPUs, and takes no process until it has.
    for (const file of ['cpuset.cpus', 'cpuset.mems'].filter((name) => existsSync(join(folder, name))))
      await writeFile(join(folder, file), await readFile(join(dirname(folder), file)))
    const weight = join(folder, 'cpu.shares')
    if (existsSync(weight)) await writeFile(weight, String(shares))
    const inherit = join(folder, 'cgroup.clone_children')
    if (existsSync(inherit)) await writeFile(inherit, '1')
  }
}
