import type { BedPod } from './pod.ts'
import { run } from './run.ts'

/** Of an interface of the node, or of a pod's `eth0`. */
export async function hardwareAddress(of: string | BedPod): Promise<string> {
  const listed =
    typeof of === 'string'
      ? await run('ip', '-o', 'link', 'show', 'dev', of)
      : await of.namespace.ip('-o', 'link', 'show', 'dev', 'eth0')
  return /link\/ether (\S+)/.exec(listed)![1]!
}
