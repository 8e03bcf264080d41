import t from 'tap'
import { startMetadatad } from '../../support/start-metadatad.ts'
import { answered } from '../answered.ts'
import { addCloudPod, prefetched } from '../three-clouds.ts'
import { CONTAINER_CLIENTS } from './clients.ts'
import { EKS_AUDIENCE, keysFetched, runAwsClient } from './run-aws-client.ts'

// Many programs are run.
t.setTimeout(900_000)

/** What each says of a 403. */
const DENIED: Readonly<Record<string, RegExp>> = {
  'js-v3-chain-container': /Could not load credentials from any providers/,
  'js-v3-http': /Server responded with status: 403/,
  'js-v2-chain-container': /statusCode: 403/,
  'js-v2-ecs': /statusCode: 403/,
  'js-v2-remote': /statusCode: 403/,
  'botocore-container': /is not of this pod/,
  'js-v3-sts-client-container': /Could not load credentials from any providers/,
  'aws-cli-container': /is not of this pod/,
}

t.test("a container's token of another pod's is refused, and SDKs say so", async (t) => {
  t.jobs = 2
  await using metadatad = await startMetadatad()
  const owner = addCloudPod(metadatad, '127.0.21.103', 'owner')
  const thief = addCloudPod(metadatad, '127.0.21.104', 'thief')
  for (const pod of [owner, thief]) await prefetched(metadatad, pod)
  const jwt = await metadatad.sandbox.kubernetes.mintToken({ namespace: 'ns', name: 'owner' }, EKS_AUDIENCE)
  await keysFetched(metadatad, owner.ip, jwt)

  const runs = CONTAINER_CLIENTS.map((client) =>
    t.test(client.name, { skip: client.missing ?? false, buffered: true }, async (t) => {
      const ran = await answered(() => runAwsClient(metadatad, client, { ip: thief.ip, jwt }))
      t.equal(ran.printed, undefined)
      t.match(ran.error, DENIED[client.name]!)
      // The chain of JavaScript v3 asks once more, without a token.
      const statuses = ran.requests.map(({ status }) => status)
      t.equal(statuses[0], 403)
      t.ok(statuses.every((status, n) => status === 403 || (status === 400 && n === statuses.length - 1)))
      t.comment(`${ran.requests.length} requests, ${ran.elapsedMs} ms in all`)
    }),
  )
  await Promise.all(runs)
})
