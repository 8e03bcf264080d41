import type { BedPod } from './bed/pod.ts'
import type { Dial } from './client/dial.ts'
import { NAMESPACE, type World } from './world.ts'

/** What the daemon is told so that it answers at the addresses of the EKS Pod Identity agent. */
export const CONTAINER_CREDENTIALS = [
  '--listen-container-credentials',
  '169.254.170.23:80,[fd00:ec2::23]:80',
] as const

/** The token that EKS mounts into a pod for them. */
export function containerToken({ sandbox }: World, { spec }: BedPod): Promise<string> {
  return sandbox.kubernetes.mintToken({ namespace: NAMESPACE, name: spec.name }, 'pods.eks.amazonaws.com')
}

/** Asks at both addresses, with the token if there is one. */
export function credentialDials(token?: string): Dial[] {
  return ['169.254.170.23', 'fd00:ec2::23'].map((host) => ({
    protocol: 'tcp',
    host,
    port: 80,
    path: '/v1/credentials',
    headers: token === undefined ? {} : { Authorization: token },
  }))
}
