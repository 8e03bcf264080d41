import { join } from 'node:path'
import { SANDBOX_PROJECT, SANDBOX_PROVIDER, SANDBOX_REGION, SANDBOX_TENANT } from './names.ts'
import type { Clouds } from './start-clouds.ts'

/** Where a daemon is to listen, as `host:port`. */
export interface ConfigListen {
  /** For pods. */
  readonly metadata: string
  /** For its operator. */
  readonly admin: string
  /** Nowhere unless said. */
  readonly containerCredentials?: string | undefined
}

/**
 * The configuration of a daemon that works with the sandbox's clouds.
 *
 * @param directory where `kubeconfig` and `ca.pem` are, and the daemon's state
 */
export function configText(
  { google, aws, azure }: Pick<Clouds, 'google' | 'aws' | 'azure'>,
  directory: string,
  { node, listen }: { readonly node: string; readonly listen: ConfigListen },
): string {
  const file = (name: string) => JSON.stringify(join(directory, name))
  const containers = listen.containerCredentials
  return `node: {name: ${node}}
cluster: {name: sandbox, location: europe-west1}
kubernetes: {kubeconfig: ${file('kubeconfig')}}
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
upstream: {caFile: ${file('ca.pem')}, proxy: none}
`
}
