import type { Pod } from '../kubernetes/types.ts'

/**
 * Do connections from the pod's addresses come from this pod? Not if it shares the host's network, not once its
 * containers have ended for good (the CNI may give the address away while `status.podIPs` still shows it), and not after
 * the kubelet said that its sandbox is gone. A terminating pod owns its addresses until then.
 */
export function ownsAddresses(pod: Pod): boolean {
  return !pod.hostNetwork && pod.phase !== 'Succeeded' && pod.phase !== 'Failed' && !pod.sandboxGone
}
