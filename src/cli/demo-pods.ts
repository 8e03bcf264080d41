import { SANDBOX_NODE, SANDBOX_PROJECT, sandboxMember } from '../sandbox/sandbox-config.ts'
import type { Sandbox } from '../sandbox/sandbox-types.ts'

/** One pod of the demo. */
export interface DemoPod {
  readonly namespace: string
  readonly name: string
  readonly serviceAccount: string
  readonly ip: string
  /** The Google service account its ServiceAccount is annotated with. */
  readonly annotation: string | undefined
  /** Does IAM let it be that service account? */
  readonly granted: boolean
}

const gsa = (name: string) => `${name}@${SANDBOX_PROJECT}.iam.gserviceaccount.com`

/** The pod that every client is which can't choose its source address: 127.0.0.1. */
export const LAPTOP: DemoPod = {
  namespace: 'default',
  name: 'laptop',
  serviceAccount: 'laptop',
  ip: '127.0.0.1',
  annotation: gsa('laptop'),
  granted: true,
}

/** The pods of the demo that have addresses of their own. */
export const DEMO_PODS: readonly DemoPod[] = [
  {
    namespace: 'shop',
    name: 'cart-6f7d',
    serviceAccount: 'cart',
    ip: '127.0.1.2',
    annotation: gsa('cart'),
    granted: true,
  },
  {
    namespace: 'shop',
    name: 'checkout-5c9b',
    serviceAccount: 'checkout',
    ip: '127.0.1.3',
    annotation: gsa('checkout'),
    granted: true,
  },
  {
    namespace: 'data',
    name: 'etl-0',
    serviceAccount: 'etl',
    ip: '127.0.1.4',
    annotation: gsa('warehouse'),
    granted: true,
  },
  {
    namespace: 'web',
    name: 'frontend-7d4f',
    serviceAccount: 'default',
    ip: '127.0.1.5',
    annotation: undefined,
    granted: true,
  },
  {
    namespace: 'web',
    name: 'curious-9x2k',
    serviceAccount: 'curious',
    ip: '127.0.1.6',
    annotation: gsa('warehouse'),
    granted: false,
  },
]

/** Prepares everything but the pod itself: its ServiceAccount and who IAM lets it be. */
export function prepareDemoPod(sandbox: Sandbox, pod: DemoPod): void {
  const annotations = pod.annotation === undefined ? {} : { 'iam.gke.io/gcp-service-account': pod.annotation }
  sandbox.kubernetes.applyServiceAccount(pod.namespace, pod.serviceAccount, annotations)
  if (pod.annotation === undefined || !pod.granted) return
  sandbox.google.grant(pod.annotation, sandboxMember(pod.namespace, pod.serviceAccount))
}

/** Starts the pod: from this moment it may ask. */
export function startDemoPod(sandbox: Sandbox, pod: DemoPod): void {
  sandbox.kubernetes.createPod({
    namespace: pod.namespace,
    name: pod.name,
    serviceAccountName: pod.serviceAccount,
    nodeName: SANDBOX_NODE,
    ips: [pod.ip],
  })
}
