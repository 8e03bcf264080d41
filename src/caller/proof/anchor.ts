import { type CgroupProcess, cgroupProcesses, isInCgroup } from './cgroup-processes.ts'
import type { HostView } from './host-view.ts'
import { mappedIds } from './id-map.ts'
import { isGone } from './is-gone.ts'
import { startTicks } from './process-stat.ts'

/** The process whose network namespace is taken for its pod's. */
export interface Anchor extends CgroupProcess {
  readonly startTicks: number
  /**
   * The inode of `/proc/PID/net/tcp`: the kernel numbers these files through all namespaces (fs/proc/generic.c), and unlike
   * `/proc/PID/ns/net` they may be looked at without `CAP_SYS_PTRACE`.
   */
  readonly namespace: number
}

const MAX_STAT = 4_096
/** A line is 33 characters, and the kernel takes 340 of them. */
const MAX_ID_MAP = 16_384
/** What the kubelet and the runtimes map at least, for a pod with a user namespace of its own. */
const MIN_MAPPED_IDS = 65_536

/**
 * Finds the process that shows the pod's network namespace: the oldest one that is not in the host's. Where the runtime
 * keeps a pause process, it is started before any container and outlives them all, and nothing in the pod can move it.
 *
 * A process that maps fewer ids than a runtime does is passed over, because any user can make a user namespace and with it a
 * network namespace that holds another pod's addresses and connections. What is left: CRI-O drops the pause process by
 * default, and then a container that is the pod's oldest, may map as many ids as it likes (`CAP_SETUID`, which runtimes grant to
 * root by default; seccomp's `RuntimeDefault` forbids it to make the namespace) and does so before the daemon first looks can
 * show a namespace of its own making. It gains nobody's identity by that, because what it forges proves itself and never
 * another; it can have a neighbour's connections refused as ambiguous. CRI-O's `drop_infra_ctr = false` ends that.
 *
 * @returns undefined if the pod has no such process
 */
export async function findAnchor(view: HostView, directory: string): Promise<Anchor | undefined> {
  const started: (CgroupProcess & { startTicks: number })[] = []
  for (const member of await cgroupProcesses(view.files, directory)) {
    const ticks = await startTicksOf(view, member.pid)
    if (ticks !== undefined) started.push({ ...member, startTicks: ticks })
  }
  started.sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid)
  for (const member of started) {
    const namespace = await namespaceInode(view, member.pid)
    if (namespace === undefined || view.hostNamespaces.includes(namespace)) continue
    if (!(await hasRuntimesIds(view, member.pid))) continue
    const anchor = { ...member, namespace }
    if ((await checkAnchor(view, anchor)) === 'same') return anchor
  }
  return undefined
}

/** `gone`: the process ended or left the pod. `moved`: it is in another network namespace. */
export async function checkAnchor(view: HostView, anchor: Anchor): Promise<'same' | 'moved' | 'gone'> {
  const namespace = await namespaceInode(view, anchor.pid)
  if (!(await isInCgroup(view.files, anchor))) return 'gone'
  // Last, so that what was read before is known to be of this process and of no other that got its id since.
  if ((await startTicksOf(view, anchor.pid)) !== anchor.startTicks) return 'gone'
  if (namespace === undefined) return 'gone'
  return namespace === anchor.namespace ? 'same' : 'moved'
}

async function startTicksOf(view: HostView, pid: number): Promise<number | undefined> {
  const text = await whileThere(view.files.readFile(`${view.procRoot}/${pid}/stat`, MAX_STAT))
  return text === undefined ? undefined : startTicks(text)
}

function namespaceInode(view: HostView, pid: number): Promise<number | undefined> {
  return whileThere(view.files.inode(`${view.procRoot}/${pid}/net/tcp`))
}

async function hasRuntimesIds(view: HostView, pid: number): Promise<boolean> {
  const text = await whileThere(view.files.readFile(`${view.procRoot}/${pid}/uid_map`, MAX_ID_MAP))
  return text !== undefined && mappedIds(text) >= MIN_MAPPED_IDS
}

async function whileThere<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}
