import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ConfigListen, configText } from './config-text.ts'
import { SANDBOX_ACCOUNT, SANDBOX_NODE, SANDBOX_PROVIDER, SANDBOX_TENANT } from './names.ts'
import { registerCluster } from './register-cluster.ts'
import type { Sandbox } from './sandbox-types.ts'

/** What the daemon may do in the cluster: the same as `manifests/base/cluster-role.yaml` grants. */
const DAEMON_RIGHTS: readonly string[] = [
  'list pods',
  'watch pods',
  'get serviceaccounts',
  'list serviceaccounts',
  'watch serviceaccounts',
  'create serviceaccounts/token',
  'list nodes',
  'watch nodes',
  'create events',
  'patch events',
]

/** The IAM member that a ServiceAccount of the sandbox's cluster is. */
export function sandboxMember(namespace: string, serviceAccount: string): string {
  const pool = SANDBOX_PROVIDER.slice(0, SANDBOX_PROVIDER.indexOf('/providers/'))
  return `principal://iam.googleapis.com/${pool}/subject/system:serviceaccount:${namespace}:${serviceAccount}`
}

/** Clouds, and the cluster that they are to trust. */
type Trusting = Pick<Sandbox, 'aws' | 'azure'> & {
  readonly kubernetes: Pick<Sandbox['kubernetes'], 'issuer'>
}

/**
 * Makes a role of the sandbox's account that a ServiceAccount may assume.
 * @returns its ARN
 */
export function grantSandboxRole(
  sandbox: Omit<Trusting, 'azure'>,
  role: string,
  namespace: string,
  serviceAccount: string,
): string {
  const arn = `arn:aws:iam::${SANDBOX_ACCOUNT}:role/${role}`
  const subject = `system:serviceaccount:${namespace}:${serviceAccount}`
  sandbox.aws.addRole(arn, {
    trust: [{ issuer: sandbox.kubernetes.issuer, subject, audience: 'sts.amazonaws.com' }],
  })
  return arn
}

/** Makes an application of the sandbox's tenant with a federated credential for a ServiceAccount. */
export function grantSandboxApplication(
  sandbox: Omit<Trusting, 'aws'>,
  clientId: string,
  namespace: string,
  serviceAccount: string,
): void {
  const { issuer } = sandbox.kubernetes
  const subject = `system:serviceaccount:${namespace}:${serviceAccount}`
  const federatedCredentials = [{ issuer, subject, audience: 'api://AzureADTokenExchange' }]
  sandbox.azure.addApplication({ tenantId: SANDBOX_TENANT, clientId, federatedCredentials })
}

/**
 * Registers the sandbox's cluster with its three clouds, and writes what a daemon needs to work in it: `ca.pem`, `kubeconfig`
 * and `metadatad.yaml` in `directory`.
 *
 * @param listen where the daemon is to listen for pods and for its operator, as `host:port`
 * @returns the configuration file's path
 */
export async function writeSandboxConfig(
  sandbox: Sandbox,
  directory: string,
  listen: ConfigListen,
): Promise<string> {
  const { kubernetes, caPem } = sandbox
  kubernetes.applyNode(SANDBOX_NODE, {
    labels: {
      'topology.kubernetes.io/zone': 'europe-west1-b',
      'topology.kubernetes.io/region': 'europe-west1',
    },
    internalIps: ['127.0.0.1'],
  })
  registerCluster(sandbox, kubernetes.issuer)
  const file = (name: string) => join(directory, name)
  await writeFile(file('ca.pem'), caPem)
  await writeFile(file('kubeconfig'), kubernetes.kubeconfig('metadatad', DAEMON_RIGHTS), { mode: 0o600 })
  await writeFile(file('metadatad.yaml'), configText(sandbox, directory, { node: SANDBOX_NODE, listen }))
  return file('metadatad.yaml')
}
