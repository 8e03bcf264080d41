// What a program in a pod does with the AWS SDK for JavaScript v2; prints what it got. Run by the tests beside it.
// The argument is where the credentials are to come from.
import AWS from 'aws-sdk'

const PROVIDERS = {
  chain: () => new AWS.CredentialProviderChain().resolvePromise(),
  EC2MetadataCredentials: () => refreshed(new AWS.EC2MetadataCredentials()),
  ECSCredentials: () => refreshed(new AWS.ECSCredentials()),
  RemoteCredentials: () => refreshed(new AWS.RemoteCredentials()),
} as const

async function refreshed<T extends AWS.Credentials>(credentials: T): Promise<T> {
  await credentials.getPromise()
  return credentials
}

const startedAt = performance.now()
const credentials = await PROVIDERS[process.argv[2] as keyof typeof PROVIDERS]()
const elapsedMs = Math.round(performance.now() - startedAt)
const { accessKeyId, secretAccessKey, sessionToken, expireTime } = credentials
process.stdout.write(
  JSON.stringify({ accessKeyId, secretAccessKey, sessionToken, expiration: expireTime, elapsedMs }),
)
