// Asks STS who it is, as a program in a pod does with the AWS SDK for JavaScript v3. Run by the tests beside it.
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'

const sts = new STSClient({ region: 'eu-west-1', endpoint: process.argv[2]! })
const startedAt = performance.now()
const { Arn } = await sts.send(new GetCallerIdentityCommand())
process.stdout.write(JSON.stringify({ Arn, elapsedMs: Math.round(performance.now() - startedAt) }))
