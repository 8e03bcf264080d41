import { missingPython, PYTHON, pythonProgram } from '../python.ts'

/** A program that asks for the pod's credentials with a library of AWS. */
export interface AwsClient {
  /** Also the name of its pod. */
  readonly name: string
  readonly program: string
  args(stsUrl: string): readonly string[]
  /** Why it can't be run here. */
  readonly missing: string | undefined
  /** What it asks, in this order; ROLE stands for the role's name. */
  readonly requests: readonly string[]
}

const LIST = '/latest/meta-data/iam/security-credentials/'
const PUT = 'PUT /latest/api/token'
const IMDS = [PUT, `GET ${LIST}`, `GET ${LIST}ROLE`]
// With a slash at the end of the endpoint, which old releases of botocore need.
const DOUBLED = IMDS.map((line) => line.replace(' /', ' //'))
/** What is asked by those that are told of the container credentials. */
export const CONTAINER: readonly string[] = ['GET /v1/credentials']

const noBotocore = await missingPython('botocore', 'botocore')
const noCli = await missingPython('awscli', 'awscli')

function node(name: string, file: string, args: readonly string[], requests: readonly string[]): AwsClient {
  const path = new URL(file, import.meta.url).pathname
  return { name, program: process.execPath, args: () => [path, ...args], missing: undefined, requests }
}

function botocore(name: string, requests: readonly string[]): AwsClient {
  const path = new URL('botocore_client.py', import.meta.url).pathname
  return { name, program: PYTHON, args: () => [path], missing: noBotocore, requests }
}

function callerIdentity(name: string, requests: readonly string[]): readonly AwsClient[] {
  const path = new URL('caller-identity.client.ts', import.meta.url).pathname
  const cli = pythonProgram('aws')
  const asked = (stsUrl: string) => [
    ...['sts', 'get-caller-identity', '--output', 'json'],
    ...['--region', 'eu-west-1', '--endpoint-url', stsUrl],
  ]
  return [
    {
      name: `js-v3-sts-client-${name}`,
      program: process.execPath,
      args: (stsUrl) => [path, stsUrl],
      missing: undefined,
      requests,
    },
    { name: `aws-cli-${name}`, program: cli, args: asked, missing: noCli, requests },
  ]
}

/** Those that find nothing but the instance metadata service. */
export const IMDS_CLIENTS: readonly AwsClient[] = [
  node('js-v3-chain', 'sdk-v3.client.ts', ['fromNodeProviderChain'], IMDS),
  node('js-v3-instance-metadata', 'sdk-v3.client.ts', ['fromInstanceMetadata'], IMDS),
  // It takes a token for every request, and joins its paths with two slashes.
  node(
    'js-v3-metadata-service',
    'metadata-service.client.ts',
    [],
    [
      ...[PUT, `GET /${LIST}`],
      ...[PUT, `GET /${LIST}ROLE`],
      ...[PUT, 'GET //latest/meta-data/placement/region'],
    ],
  ),
  node('js-v2-chain', 'sdk-v2.client.ts', ['chain'], DOUBLED),
  node('js-v2-ec2', 'sdk-v2.client.ts', ['EC2MetadataCredentials'], DOUBLED),
  botocore('botocore-imds', IMDS),
  ...callerIdentity('imds', IMDS),
]

/** Those that are told of the container credentials, by the two variables that EKS sets. */
export const CONTAINER_CLIENTS: readonly AwsClient[] = [
  node('js-v3-chain-container', 'sdk-v3.client.ts', ['fromNodeProviderChain'], CONTAINER),
  node('js-v3-http', 'sdk-v3.client.ts', ['fromHttp'], CONTAINER),
  node('js-v2-chain-container', 'sdk-v2.client.ts', ['chain'], CONTAINER),
  node('js-v2-ecs', 'sdk-v2.client.ts', ['ECSCredentials'], CONTAINER),
  node('js-v2-remote', 'sdk-v2.client.ts', ['RemoteCredentials'], CONTAINER),
  botocore('botocore-container', CONTAINER),
  ...callerIdentity('container', CONTAINER),
]
