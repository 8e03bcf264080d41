// What a program in a pod does with Google's library for Node; prints what it got. Run by google-auth-library.test.ts.
import { GoogleAuth } from 'google-auth-library'

const audience = process.argv[2]!
const auth = new GoogleAuth({ scopes: 'https://www.googleapis.com/auth/devstorage.read_only' })
const client = await auth.getClient()
const [access, again] = [await client.getAccessToken(), await client.getAccessToken()]
const idClient = await auth.getIdTokenClient(audience)
process.stdout.write(
  JSON.stringify({
    kind: client.constructor.name,
    accessToken: access.token,
    again: again.token,
    email: (await auth.getCredentials()).client_email,
    idToken: await idClient.idTokenProvider.fetchIdToken(audience),
    projectId: await auth.getProjectId(),
    universeDomain: await auth.getUniverseDomain(),
  }),
)
