/**
 * How many ids a `/proc/PID/uid_map` maps (user_namespaces(7): lines of `INSIDE OUTSIDE LENGTH`). A process without
 * `CAP_SETUID` that makes a user namespace can map one id, its own; container runtimes and the kubelet map 65,536 and more.
 */
export function mappedIds(text: string): number {
  let ids = 0
  for (const line of text.split('\n')) {
    const match = /^ *\d{1,10} +\d{1,10} +(\d{1,10})$/.exec(line)
    if (match) ids += Number(match[1])
  }
  return ids
}
