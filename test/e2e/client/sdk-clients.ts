import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { SANDBOX_REGION } from '../../../src/sandbox/names.ts'
import type { Sandbox } from '../../../src/sandbox/sandbox-types.ts'
import { AZURE_CLIENTS } from '../../sdk/azure/clients.ts'
import { missingPython, PYTHON, pythonProgram } from '../../sdk/python.ts'
import type { PodSpec } from '../bed/pod.ts'
import type { ContainerProgram } from './as-in-container.ts'

/** A cloud's own client. */
export interface SdkClient {
  readonly name: string
  readonly program: string
  /** @param stsUrl where AWS STS is to be asked */
  args(stsUrl: string): readonly string[]
  readonly env: ContainerProgram['env']
  /** Why it can't be run here; undefined if it can. */
  readonly missing: string | undefined
  /** Runs with the two variables that EKS sets for container credentials, and nothing else. */
  readonly containerCredentials?: boolean
  /** What the pod is for the cloud. */
  readonly is: 'email' | 'uid' | 'roleArn' | 'clientId'
  /** The same of the client, by what it printed; undefined if it is nobody. */
  identity(printed: string, sandbox: Sandbox): PodSpec[SdkClient['is']] | undefined
}

const AUDIENCE = 'https://service.example/path'
const RESOURCE = 'https://vault.azure.net'
const GCLOUD = '/usr/bin/gcloud'

const GOOGLE_CLIENTS: readonly SdkClient[] = [
  {
    name: 'gcloud auth list',
    program: GCLOUD,
    args: () => ['auth', 'list', '--format=json'],
    env: {
      CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
      PATH: '/usr/bin:/bin',
    },
    // Asking it for its version takes it a minute where the network answers nothing.
    missing: existsSync(GCLOUD) ? undefined : `${GCLOUD} is not installed`,
    is: 'email',
    identity(printed) {
      const accounts = JSON.parse(printed) as { account: string; status: string }[]
      return accounts.length === 1 && accounts[0]!.status === 'ACTIVE' ? accounts[0]!.account : undefined
    },
  },
  {
    name: 'google-auth-library (Node)',
    program: process.execPath,
    args: () => [sdk('google-auth-library.client.ts'), AUDIENCE],
    env: {},
    missing: undefined,
    is: 'email',
    identity: googleIdentity,
  },
  {
    name: 'google-auth (Python)',
    program: PYTHON,
    args: () => [sdk('google_auth_client.py'), AUDIENCE],
    env: {},
    missing: await missingPython('google.auth, requests', 'google-auth requests'),
    is: 'email',
    identity: googleIdentity,
  },
]

const JS_V3 = { program: process.execPath, args: [sdk('aws/sdk-v3.client.ts'), 'fromNodeProviderChain'] }
const JS_V2 = { program: process.execPath, args: [sdk('aws/sdk-v2.client.ts'), 'chain'] }
const BOTOCORE = { program: PYTHON, args: [sdk('aws/botocore_client.py')] }
const METADATA_SERVICE = { program: process.execPath, args: [sdk('aws/metadata-service.client.ts')] }

const [noBotocore, noCli] = await Promise.all([
  missingPython('botocore', 'botocore'),
  missingPython('awscli', 'awscli'),
])

/** All that are run. */
export const CLIENTS: readonly SdkClient[] = [
  ...GOOGLE_CLIENTS,
  aws('AWS SDK for JavaScript v3', JS_V3, undefined),
  aws('AWS SDK for JavaScript v2', JS_V2, undefined),
  aws('@aws-sdk/ec2-metadata-service', METADATA_SERVICE, undefined),
  aws('botocore', BOTOCORE, noBotocore),
  awsCli(),
  aws('AWS SDK for JavaScript v3', JS_V3, undefined, true),
  aws('AWS SDK for JavaScript v2', JS_V2, undefined, true),
  aws('botocore', BOTOCORE, noBotocore, true),
  awsCli(true),
  ...AZURE_CLIENTS.filter(({ named }) => !named).map(
    ({ name, program, args, missing }): SdkClient => ({
      name: `Azure ${name}`,
      program,
      args: () => args(RESOURCE, ''),
      env: {},
      missing,
      is: 'clientId',
      identity: (printed, { azure }) => azure.inspect(JSON.parse(printed).token)?.clientId,
    }),
  ),
]

function sdk(file: string): string {
  return fileURLToPath(new URL(`../../sdk/${file}`, import.meta.url))
}

function aws(
  name: string,
  { program, args }: Pick<ContainerProgram, 'program' | 'args'>,
  missing: string | undefined,
  containerCredentials = false,
): SdkClient {
  return {
    name: containerCredentials ? `${name} (container credentials)` : name,
    program,
    args: () => args,
    env: {},
    missing,
    containerCredentials,
    is: 'uid',
    identity: awsIdentity,
  }
}

/** It shows no credentials, but tells whose they are: STS has verified its signature. */
function awsCli(containerCredentials = false): SdkClient {
  return {
    ...aws('AWS CLI', { program: pythonProgram('aws'), args: [] }, noCli, containerCredentials),
    // The certificate is not of the address by which pods reach it.
    args: (stsUrl) => [
      ...['sts', 'get-caller-identity', '--output', 'json', '--region', SANDBOX_REGION],
      ...['--endpoint-url', stsUrl, '--no-verify-ssl'],
    ],
    is: 'roleArn',
    identity: (printed) =>
      JSON.parse(printed)
        .Arn.replace(':sts:', ':iam:')
        .replace(/:assumed-role\/([^/]+)\/.*/, ':role/$1'),
  }
}

/** The pod of the session, by the word of STS; nobody's if the secrets are not the session's. */
function awsIdentity(printed: string, { aws }: Sandbox): string | undefined {
  const { accessKeyId, secretAccessKey, sessionToken } = JSON.parse(printed) as Record<string, string>
  const session = aws.inspect(accessKeyId ?? '')
  const own = session?.secretAccessKey === secretAccessKey && session?.sessionToken === sessionToken
  return own ? session?.podUid : undefined
}

/** What it believes to be and what its token is must be the same. */
function googleIdentity(printed: string, { google }: Sandbox): string | undefined {
  const { email, accessToken } = JSON.parse(printed) as { email: string; accessToken: string }
  return google.inspect(accessToken)?.identity === email ? email : undefined
}
