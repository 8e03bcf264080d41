import { missingPython, PYTHON } from '../python.ts'

/** A program that asks for the pod's token with a library of Azure. */
export interface AzureClient {
  /** Also the name of its pod. */
  readonly name: string
  readonly program: string
  /** @param clientId empty for the pod's own */
  args(resource: string, clientId: string): readonly string[]
  /** Why it can't be run here. */
  readonly missing: string | undefined
  /** Does it name its identity? */
  readonly named: boolean
}

const noPython = await missingPython('azure.identity', 'azure-identity')

function file(name: string): string {
  return new URL(name, import.meta.url).pathname
}

function identity(name: string, kind: string, named: boolean): AzureClient {
  const args = (resource: string, clientId: string) => [
    ...[file('identity.client.ts'), kind],
    ...[`${resource}/.default`, named ? clientId : ''],
  ]
  return { name, program: process.execPath, args, missing: undefined, named }
}

function msal(name: string, named: boolean): AzureClient {
  const args = (resource: string, clientId: string) => [
    ...[file('msal-node.client.ts'), resource],
    named ? clientId : '',
  ]
  return { name, program: process.execPath, args, missing: undefined, named }
}

function python(name: string, kind: string, named: boolean): AzureClient {
  const args = (resource: string, clientId: string) => [
    ...[file('azure_identity_client.py'), kind],
    ...[`${resource}/.default`, named ? clientId : ''],
  ]
  return { name, program: PYTHON, args, missing: noPython, named }
}

/** All that are run. */
export const AZURE_CLIENTS: readonly AzureClient[] = [
  identity('js-managed', 'ManagedIdentityCredential', false),
  identity('js-managed-named', 'ManagedIdentityCredential', true),
  identity('js-default', 'DefaultAzureCredential', false),
  identity('js-default-named', 'DefaultAzureCredential', true),
  msal('msal-node', false),
  msal('msal-node-named', true),
  python('py-managed', 'ManagedIdentityCredential', false),
  python('py-managed-named', 'ManagedIdentityCredential', true),
  python('py-default', 'DefaultAzureCredential', false),
  python('py-default-named', 'DefaultAzureCredential', true),
]
