// What a program in a pod does with AWS's client of the metadata service; prints what it got. Run by the tests beside it.
import { MetadataService } from '@aws-sdk/ec2-metadata-service'

const service = new MetadataService()
const startedAt = performance.now()
const list = '/latest/meta-data/iam/security-credentials/'
const role = await service.request(list, {})
const credentials = JSON.parse(await service.request(`${list}${role}`, {}))
const elapsedMs = Math.round(performance.now() - startedAt)
const region = await service.request('/latest/meta-data/placement/region', {})
process.stdout.write(
  JSON.stringify({
    accessKeyId: credentials.AccessKeyId,
    secretAccessKey: credentials.SecretAccessKey,
    sessionToken: credentials.Token,
    expiration: credentials.Expiration,
    role,
    region,
    elapsedMs,
  }),
)
