/** What the kernel says of a process or cgroup that has ended, before or while it was read (proc(5), cgroups(7)). */
const GONE: readonly unknown[] = ['ENOENT', 'ESRCH', 'ENODEV', 'ENOTDIR', 'EINVAL']

/** Did the read fail because what it was about is no more? Any other failure says nothing about it. */
export function isGone(error: unknown): boolean {
  return error instanceof Error && GONE.includes((error as NodeJS.ErrnoException).code)
}
