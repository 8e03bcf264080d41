import type { HostFiles } from './host-files.ts'
import { isGone } from './is-gone.ts'

/** A process and the cgroup whose `cgroup.procs` lists it. */
export interface CgroupProcess {
  /** 0 for a process of a pid namespace that can't be seen. */
  readonly pid: number
  readonly cgroup: string
}

/** Those beyond are not looked at: only the pod that has so many is the worse for it. */
const MAX_CHILDREN = 256
const MAX_PER_CGROUP = 512
const MAX_BYTES = 1024 * 1024
const MAX_NESTED = 256
/** Stands for the processes of a cgroup that has too many to list: none has this id, and the cgroup is not empty. */
const UNLISTED = -1

/** crun starts a container there, below the scope that systemd made (crun(1), `run.oci.systemd.subgroup`). */
const RUNTIMES_OWN = 'container'

/**
 * The processes of a pod: those in its own directory and in the direct children, one a container and one the sandbox, each
 * with or without crun's own cgroup below it. Any other that is nested deeper is made by a container, so it may be shaped as the
 * container likes; one that it calls `container` still holds no process but the pod's.
 */
export async function cgroupProcesses(files: HostFiles, directory: string): Promise<CgroupProcess[]> {
  const children = await directoriesOf(files, directory)
  const found: CgroupProcess[] = []
  const direct = children.slice(0, MAX_CHILDREN).map((name) => `${directory}/${name}`)
  for (const cgroup of [directory, ...direct.flatMap((it) => [it, `${it}/${RUNTIMES_OWN}`])]) {
    const pids = await pidsIn(files, cgroup)
    for (const pid of pids.slice(0, MAX_PER_CGROUP)) found.push({ pid, cgroup })
  }
  return found
}

/** Is the process in the cgroup now? */
export async function isInCgroup(files: HostFiles, { pid, cgroup }: CgroupProcess): Promise<boolean> {
  return (await pidsIn(files, cgroup)).includes(pid)
}

/** True if no process is left anywhere below the directory; false if there is one, or too much to look at. */
export async function isEmptyCgroup(files: HostFiles, directory: string): Promise<boolean> {
  const left = [directory]
  for (let looked = 0; left.length > 0; looked++) {
    if (looked === MAX_NESTED) return false
    const cgroup = left.pop()!
    if ((await pidsIn(files, cgroup)).length > 0) return false
    for (const name of await directoriesOf(files, cgroup)) left.push(`${cgroup}/${name}`)
  }
  return true
}

async function pidsIn(files: HostFiles, cgroup: string): Promise<number[]> {
  try {
    const text = await files.readFile(`${cgroup}/cgroup.procs`, MAX_BYTES)
    return text.split('\n').flatMap((line) => (/^\d{1,10}$/.test(line) ? [Number(line)] : []))
  } catch (error) {
    if (isGone(error)) return []
    if ((error as NodeJS.ErrnoException).code === 'EFBIG') return [UNLISTED]
    // A threaded cgroup lists no processes (cgroups(7)); only a container makes one.
    if ((error as NodeJS.ErrnoException).code === 'EOPNOTSUPP') return []
    throw error
  }
}

async function directoriesOf(files: HostFiles, cgroup: string): Promise<readonly string[]> {
  try {
    return await files.directories(cgroup)
  } catch (error) {
    if (isGone(error)) return []
    throw error
  }
}
