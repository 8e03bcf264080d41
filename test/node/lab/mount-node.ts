import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cgroupFolder, hierarchies } from './hierarchies.ts'
import type { NodeSpace } from './node-space.ts'

/** What the kubelet insists on. It would write them, for the whole machine, and is shown files instead. */
const SYSCTLS = {
  'vm/overcommit_memory': '1',
  'vm/panic_on_oom': '0',
  'kernel/panic': '10',
  'kernel/panic_on_oops': '1',
}
const CGROUPS = '/sys/fs/cgroup'

/** Gives a node folders of its own where node programs keep things: /run, /var/lib, /var/log, /sys and its cgroups. */
export async function mountNode(space: NodeSpace, directory: string, cgroup: string): Promise<void> {
  const mount = (...args: string[]) => space.run('mount', args)
  const own = async (name: string) => {
    await mkdir(join(directory, name), { recursive: true })
    return join(directory, name)
  }
  // A new /sys shows the node's own interfaces, and no cgroups.
  const kept = await own('cgroups')
  await mount('--rbind', CGROUPS, kept)
  await mount('-t', 'sysfs', 'sysfs', '/sys')
  await mount('-t', 'tmpfs', 'tmpfs', CGROUPS)
  for (const hierarchy of hierarchies()) {
    await space.run('mkdir', [join(CGROUPS, hierarchy)])
    await mount('--bind', cgroupFolder(hierarchy, cgroup).replace(CGROUPS, kept), join(CGROUPS, hierarchy))
  }
  await space.run('umount', ['--recursive', '--lazy', kept])

  await mount('--bind', await own('lib'), '/var/lib')
  await mount('--bind', await own('log'), '/var/log')
  await mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/run')
  const sysctls = await own('sysctls')
  for (const [name, value] of Object.entries(SYSCTLS)) {
    const file = join(sysctls, name.replace('/', '.'))
    await writeFile(file, `${value}\n`)
    await mount('--bind', file, `/proc/sys/${name}`)
  }
  // Volumes with mount propagation need a shared root. It is shared with nobody outside: the namespace was made private.
  await mount('--make-rshared', '/')
}
