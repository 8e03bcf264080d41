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
