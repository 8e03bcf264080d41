// What a program in a pod does with @azure/identity; prints what it got. Run by the tests beside it.
// Arguments: the credential, a scope and the identity's client ID, which may be empty.
import { DefaultAzureCredential, ManagedIdentityCredential } from '@azure/identity'

const [, , kind, scope, clientId] = process.argv
const CREDENTIALS = {
  ManagedIdentityCredential: () =>
    clientId ? new ManagedIdentityCredential({ clientId }) : new ManagedIdentityCredential(),
  DefaultAzureCredential: () =>
    new DefaultAzureCredential(clientId ? { managedIdentityClientId: clientId } : {}),
} as const

const credential = CREDENTIALS[kind as keyof typeof CREDENTIALS]()
const startedAt = performance.now()
const { token, expiresOnTimestamp } = await credential.getToken(scope!)
const elapsedMs = Math.round(performance.now() - startedAt)
const again = await credential.getToken(scope!)
process.stdout.write(
  JSON.stringify({ token, again: again.token, expiresOn: Math.floor(expiresOnTimestamp / 1000), elapsedMs }),
)
