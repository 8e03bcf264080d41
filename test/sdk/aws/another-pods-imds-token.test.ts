import t from 'tap'
import { startMetadatad } from '../../support/start-metadatad.ts'
import { answered } from '../answered.ts'
import { addCloudPod, prefetched } from '../three-clouds.ts'
import { IMDS_CLIENTS } from './clients.ts'
import { runAwsClient } from './run-aws-client.ts'

/** What each says of a 401. */
const UNAUTHORIZED: Readonly<Record<string, RegExp>> = {
  'js-v3-chain': /Could not load credentials from any providers/,
  'js-v3-instance-metadata': /statusCode: 401/,
  'js-v3-metadata-service': /Request failed with status code 401/,
  'js-v2-chain': /statusCode: 401/,
  'js-v2-ec2': /statusCode: 401/,
  'botocore-imds': /botocore found no credentials/,
  'js-v3-sts-client-imds': /Could not load credentials from any providers/,
  'aws-cli-imds': /Unable to locate credentials/,
}

t.test("an IMDSv2 token of another pod's is 401, and SDKs say so", async (t) => {
  t.jobs = 2
  await using metadatad = await startMetadatad()
  const owner = addCloudPod(metadatad, '127.0.21.101', 'owner')
  const thief = addCloudPod(metadatad, '127.0.21.102', 'thief')
  for (const pod of [owner, thief]) await prefetched(metadatad, pod)

  const runs = IMDS_CLIENTS.map((client) =>
    t.test(client.name, { skip: client.missing ?? false, buffered: true }, async (t) => {
      const ran = await answered(() =>
        runAwsClient(metadatad, client, {
          ip: thief.ip,
          from: (line) => (line.startsWith('PUT ') ? owner.ip : thief.ip),
        }),
      )
      t.equal(ran.printed, undefined)
      t.match(ran.error, UNAUTHORIZED[client.name]!)
      t.ok(ran.requests.every(({ line, status }) => status === (line.startsWith('PUT ') ? 200 : 401)))
      t.comment(`${ran.requests.length} requests, ${ran.elapsedMs} ms in all`)
    }),
  )
  await Promise.all(runs)
})
