import type { KubeObject } from '../../cluster/api.ts'
import { CLIENT_IMAGE } from '../prepare/ensure-client-image.ts'

/** A pod of one container. */
export interface ClientPod {
  readonly name: string
  /** The node's name. */
  readonly node: string
  readonly serviceAccount?: string
  /** Runs as the container's first process; it sleeps without one. */
  readonly command?: readonly string[]
  readonly image?: string
  /** Further fields of the spec. */
  readonly spec?: Readonly<Record<string, unknown>>
  /** Further fields of the container. */
  readonly container?: Readonly<Record<string, unknown>>
}

/** The manifest of a pod in namespace `default`. */
export function clientPod(pod: ClientPod): KubeObject {
  const { name, node, serviceAccount = 'default', command, image = CLIENT_IMAGE } = pod
  const resources = { requests: { cpu: '10m' } }
  const run = command === undefined ? {} : { command }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      nodeName: node,
      serviceAccountName: serviceAccount,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: 'Never',
      dnsPolicy: 'Default',
      terminationGracePeriodSeconds: 0,
      // What cluster DNS answers on Google's nodes.
      hostAliases: [{ ip: '169.254.169.254', hostnames: ['metadata.google.internal'] }],
      // Without a request a pod gets next to nothing where the machine is busy.
      containers: [{ name: 'client', image, imagePullPolicy: 'Never', resources, ...run, ...pod.container }],
      ...pod.spec,
    },
  }
}
