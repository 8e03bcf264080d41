import { SANDBOX_PROVIDER } from '../../../src/sandbox/names.ts'

/** What the tokens that each of the sandbox's clouds takes are for. */
export const AUDIENCES = {
  google: `//iam.googleapis.com/${SANDBOX_PROVIDER}`,
  aws: 'sts.amazonaws.com',
  azure: 'api://AzureADTokenExchange',
} as const
