import { SANDBOX_ACCOUNT, SANDBOX_NODE, SANDBOX_PROJECT } from '../sandbox/names.ts'
import { grantSandboxApplication, grantSandboxRole, sandboxMember } from '../sandbox/sandbox-config.ts'
import type { Sandbox } from '../sandbox/sandbox-types.ts'

/** The clouds of the demo. */
export type DemoCloud = 'google' | 'aws' | 'azure'

/** One pod of the demo. */
export interface DemoPod {
  readonly namespace: string
  readonly name: string
  readonly serviceAccount: string
  readonly ip: string
  /** Who it asks to be, in each cloud that it uses: what its ServiceAccount is annotated with, null for no annotation. */
  readonly identities: Readonly<Partial<Record<DemoCloud, string | null>>>
  /** Do the clouds let it be that? */
  readonly granted: boolean
}

const ANNOTATIONS: Readonly<Record<DemoCloud, string>> = {
  google: 'iam.gke.io/gcp-service-account',
  aws: 'eks.amazonaws.com/role-arn',
  azure: 'azure.workload.identity/client-id',
}

const gsa = (name: string) => `${name}@${SANDBOX_PROJECT}.iam.gserviceaccount.com`
const role = (name: string) => `arn:aws:iam::${SANDBOX_ACCOUNT}:role/${name}`

/** The pod that every client is which can't choose its source address: 127.0.0.1. */
export const LAPTOP: DemoPod = {
  namespace: 'default',
  name: 'laptop',
  serviceAccount: 'laptop',
  ip: '127.0.0.1',
  identities: {
    google: gsa('laptop'),
    aws: role('laptop'),
    azure: '1a9707a0-1111-4c11-8000-000000000001',
  },
  granted: true,
}

/** The pods of the demo that have addresses of their own. */
export const DEMO_PODS: readonly DemoPod[] = [
  {
    namespace: 'shop',
    name: 'checkout-5c9b',
    serviceAccount: 'checkout',
    ip: '127.0.1.2',
    identities: {
      google: gsa('checkout'),
      aws: role('checkout'),
      azure: 'c4ec0007-2222-4c22-8000-000000000002',
    },
    granted: true,
  },
  {
    namespace: 'shop',
    name: 'cart-6f7d',
    serviceAccount: 'cart',
    ip: '127.0.1.3',
    identities: { google: gsa('cart') },
    granted: true,
  },
  {
    namespace: 'data',
    name: 'etl-0',
    serviceAccount: 'etl',
    ip: '127.0.1.4',
    identities: { aws: role('warehouse') },
    granted: true,
  },
  {
    namespace: 'data',
    name: 'reports-8b4c',
    serviceAccount: 'reports',
    ip: '127.0.1.5',
    identities: { azure: '4e904750-3333-4c33-8000-000000000003' },
    granted: true,
  },
  {
    namespace: 'web',
    name: 'frontend-7d4f',
    serviceAccount: 'default',
    ip: '127.0.1.6',
    identities: { google: null },
    granted: true,
  },
  {
    namespace: 'web',
    name: 'curious-9x2k',
    serviceAccount: 'curious',
    ip: '127.0.1.7',
    identities: { google: gsa('checkout') },
    granted: false,
  },
]

/** The clouds that a pod uses. */
export function cloudsOf(pod: DemoPod): readonly DemoCloud[] {
  return Object.keys(pod.identities) as DemoCloud[]
}

/** Prepares everything but the pod itself: its ServiceAccount and who the clouds let it be. */
export function prepareDemoPod(sandbox: Sandbox, pod: DemoPod): void {
  const { namespace, serviceAccount, identities } = pod
  const annotations: Record<string, string> = {}
  for (const cloud of cloudsOf(pod)) {
    const identity = identities[cloud]
    if (identity) annotations[ANNOTATIONS[cloud]] = identity
  }
  sandbox.kubernetes.applyServiceAccount(namespace, serviceAccount, annotations)
  if (!pod.granted) return
  const { google, aws, azure } = identities
  if (google) sandbox.google.grant(google, sandboxMember(namespace, serviceAccount))
  if (aws) grantSandboxRole(sandbox, aws.slice(role('').length), namespace, serviceAccount)
  if (azure) grantSandboxApplication(sandbox, azure, namespace, serviceAccount)
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
