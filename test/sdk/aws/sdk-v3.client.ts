// What a program in a pod does with the AWS SDK for JavaScript v3; prints what it got. Run by the tests beside it.
// The argument is where the credentials are to come from.
import { fromHttp, fromInstanceMetadata, fromNodeProviderChain } from '@aws-sdk/credential-providers'

const PROVIDERS = { fromNodeProviderChain, fromInstanceMetadata, fromHttp } as const

const provide = PROVIDERS[process.argv[2] as keyof typeof PROVIDERS]({})
const startedAt = performance.now()
const credentials = await provide()
const elapsedMs = Math.round(performance.now() - startedAt)
const { accessKeyId, secretAccessKey, sessionToken, expiration } = credentials
process.stdout.write(JSON.stringify({ accessKeyId, secretAccessKey, sessionToken, expiration, elapsedMs }))
