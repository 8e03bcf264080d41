// What a program in a pod does with msal-node; prints what it got. Run by the tests beside it.
// Arguments: a resource, and the identity's client ID, which may be empty.
import { ManagedIdentityApplication } from '@azure/msal-node'

const [, , resource, clientId] = process.argv
const application = new ManagedIdentityApplication(
  clientId ? { managedIdentityIdParams: { userAssignedClientId: clientId } } : {},
)
const startedAt = performance.now()
const { accessToken, expiresOn } = await application.acquireToken({ resource: resource! })
const elapsedMs = Math.round(performance.now() - startedAt)
const again = await application.acquireToken({ resource: resource! })
process.stdout.write(
  JSON.stringify({
    token: accessToken,
    again: again.accessToken,
    expiresOn: Math.floor(expiresOn!.getTime() / 1000),
    elapsedMs,
  }),
)
