import { SANDBOX_ACCOUNT, SANDBOX_PROVIDER } from './names.ts'
import type { Clouds } from './start-clouds.ts'

/** Makes the sandbox's Google and AWS trust the tokens of a cluster; Entra is told with each federated credential. */
export function registerCluster({ google, aws }: Pick<Clouds, 'google' | 'aws'>, issuer: string): void {
  google.addProvider(SANDBOX_PROVIDER, { issuer })
  aws.addOidcProvider({ accountId: SANDBOX_ACCOUNT, issuer, clientIds: ['sts.amazonaws.com'] })
}
