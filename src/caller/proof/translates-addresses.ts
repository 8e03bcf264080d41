import type { Pod } from '../../kubernetes/types.ts'

/** Does the pod have a network inside that the host's kernel does not see, so that nothing can be proved about it? */
export function translatesAddresses(pod: Pod, sandboxedRuntimes: readonly string[]): boolean {
  if (pod.annotations['metadatad.dev/translates-addresses'] === 'true') return true
  return pod.runtimeClassName !== undefined && sandboxedRuntimes.includes(pod.runtimeClassName)
}
