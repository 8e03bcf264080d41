import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Sandbox } from './sandbox-types.ts'

/** The workload identity pool provider that the sandbox's cluster is registered with. */
export const SANDBOX_PROVIDER =
  'projects/123456789012/locations/global/workloadIdentityPools/sandbox/providers/cluster'
/** The Google project of the sandbox. */
export const SANDBOX_PROJECT = 'demo-project'
/** The AWS account of the sandbox. */
export const SANDBOX_ACCOUNT = '123456789012'
/** The AWS region of the sandbox. */
export const SANDBOX_REGION = 'eu-west-1'
/** The Microsoft Entra tenant of the sandbox. */
export const SANDBOX_TENANT = '11111111-2222-3333-4444-555555555555'
/** The node that the sandbox's daemon runs on. */
export const SANDBOX_NODE = 'node-1'

/** What the daemon may do in the cluster: the same as `manifests/base/rbac.yaml` grants. */
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
]

/** The IAM member that a ServiceAccount of the sandbox's cluster is. */
export function sandboxMember(namespace: string, serviceAccount: string): string {
  const pool = SANDBOX_PROVIDER.slice(0, SANDBOX_PROVIDER.indexOf('/providers/'))
  return `principal://iam.googleapis.com/${pool}/subject/system:serviceaccount:${namespace}:${serviceAccount}`
}

/**
 * Makes a role of the sandbox's account that a ServiceAccount may assume.
 * @returns its ARN
 */
export function grantSandboxRole(
  sandbox: Sandbox,
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
  sandbox: Sandbox,
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
  listen: {
    readonly metadata: string
    readonly admin: string
    /** Nowhere unless said. */
    readonly containerCredentials?: string | undefined
  },
): Promise<string> {
  const { kubernetes, google, aws, azure, caPem } = sandbox
  kubernetes.applyNode(SANDBOX_NODE, {
    labels: {
      'topology.kubernetes.io/zone': 'europe-west1-b',
      'topology.kubernetes.io/region': 'europe-west1',
    },
    internalIps: ['127.0.0.1'],
  })
  google.addProvider(SANDBOX_PROVIDER, { issuer: kubernetes.issuer })
  aws.addOidcProvider({
    accountId: SANDBOX_ACCOUNT,
    issuer: kubernetes.issuer,
    clientIds: ['sts.amazonaws.com'],
  })
  const containers = listen.containerCredentials
  const file = (name: string) => join(directory, name)
  await writeFile(file('ca.pem'), caPem)
  await writeFile(file('kubeconfig'), kubernetes.kubeconfig('metadatad', DAEMON_RIGHTS), { mode: 0o600 })
  const config = `node: {name: ${SANDBOX_NODE}}
cluster: {name: sandbox, location: europe-west1}
kubernetes: {kubeconfig: ${JSON.stringify(file('kubeconfig'))}}
subjectToken: {source: tokenRequest}
caller: {proof: off}
google:
  projectId: ${SANDBOX_PROJECT}
  projectNumber: "123456789012"
  workloadIdentityProvider: ${SANDBOX_PROVIDER}
  endpoints: {sts: "${google.stsUrl}", iamCredentials: "${google.iamCredentialsUrl}"}
aws: {region: ${SANDBOX_REGION}, endpoints: {sts: "${aws.stsUrl}"}}
azure: {tenantId: ${SANDBOX_TENANT}, endpoints: {authority: "${azure.authorityUrl}"}}
listen: {metadata: ["${listen.metadata}"], ${containers === undefined ? '' : `containerCredentials: ["${containers}"], `}admin: "${listen.admin}"}
stateDir: ${JSON.stringify(directory)}
upstream: {caFile: ${JSON.stringify(file('ca.pem'))}, proxy: none}
`
  await writeFile(file('metadatad.yaml'), config)
  return file('metadatad.yaml')
}
