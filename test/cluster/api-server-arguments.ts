import type { ServiceAccountKeys } from './service-account-keys.ts'

/**
 * Flags of a kube-apiserver on one address, with the authorizers and admission plugins that clusters have.
 *
 * @param options.file the path of a file of the cluster
 */
export function apiServerArguments(options: {
  readonly url: string
  readonly etcdUrl: string
  readonly file: (name: string) => string
  readonly keys: ServiceAccountKeys
}): string[] {
  const { url, file, keys } = options
  const { hostname, port } = new URL(url)
  const isLoopback = hostname.startsWith('127.')
  return [
    `--bind-address=${isLoopback ? hostname : '0.0.0.0'}`,
    `--secure-port=${port === '' ? 443 : port}`,
    `--advertise-address=${hostname}`,
    // Endpoints take no address of loopback: the reconciler of default/kubernetes would complain every 10 s.
    `--endpoint-reconciler-type=${isLoopback ? 'none' : 'lease'}`,
    `--etcd-servers=${options.etcdUrl}`,
    `--tls-cert-file=${file('apiserver.crt')}`,
    `--tls-private-key-file=${file('apiserver.key')}`,
    `--client-ca-file=${file('ca.crt')}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--service-cluster-ip-range=10.96.0.0/24',
    '--allow-privileged=true',
    `--service-account-issuer=${url}`,
    `--api-audiences=${url}`,
    `--service-account-signing-key-file=${keys.signingKeyFile}`,
    ...keys.publicKeyFiles.map((path) => `--service-account-key-file=${path}`),
    `--kubelet-client-certificate=${file('kubelet-client.crt')}`,
    `--kubelet-client-key=${file('kubelet-client.key')}`,
    `--kubelet-certificate-authority=${file('ca.crt')}`,
    // By default a node is first looked for by name, in DNS.
    '--kubelet-preferred-address-types=InternalIP',
    `--audit-policy-file=${file('audit-policy.json')}`,
    `--audit-log-path=${file('audit.log')}`,
    '--profiling=false',
    // A pool of tests is one client: its share is all there is.
    '--enable-priority-and-fairness=false',
    '--max-requests-inflight=2000',
    '--max-mutating-requests-inflight=2000',
  ]
}
