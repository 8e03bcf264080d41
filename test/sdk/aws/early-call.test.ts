import t from 'tap'
import { eventually } from '../../support/eventually.ts'
import { startMetadatad } from '../../support/start-metadatad.ts'
import { answered } from '../answered.ts'
import { addCloudPod, cloudCalls } from '../three-clouds.ts'
import { CONTAINER_CLIENTS, IMDS_CLIENTS } from './clients.ts'
import { EKS_AUDIENCE, runAwsClient } from './run-aws-client.ts'

// They wait for a slow cloud most of the time.
t.jobs = 2

const NO_PREFETCH = { 'credentials.prefetch': 'false' }
const ONE_CALL = { tokenRequest: 1, assumeRole: 1, entra: 0 }

for (const name of ['js-v3-http', 'botocore-container']) {
  const client = CONTAINER_CLIENTS.find((it) => it.name === name)!
  t.test(
    `${name} outlasts a session that takes AWS 900 ms, which costs one call`,
    { skip: client.missing ?? false, buffered: true },
    async (t) => {
      await using metadatad = await startMetadatad({ flags: NO_PREFETCH })
      const { sandbox } = metadatad
      const pod = addCloudPod(metadatad, '127.0.21.120', 'early')
      sandbox.aws.latencyMs = 900
      const jwt = await sandbox.kubernetes.mintToken({ namespace: 'ns', name: 'early' }, EKS_AUDIENCE)
      const { printed, error, requests, elapsedMs } = await runAwsClient(metadatad, client, {
        ip: pod.ip,
        jwt,
      })
      t.equal(error, '')
      t.match(sandbox.aws.inspect(String(printed?.accessKeyId)), { podUid: pod.uid })
      t.strictSame(cloudCalls(sandbox), ONE_CALL)
      t.comment(`${requests.map(({ status }) => status)}: ${elapsedMs} ms in all`)
    },
  )
}

for (const name of ['js-v3-instance-metadata', 'botocore-imds']) {
  const client = IMDS_CLIENTS.find((it) => it.name === name)!
  t.test(
    `${name} gives up on a session that takes AWS 900 ms, and has it when it is run again`,
    { skip: client.missing ?? false, buffered: true },
    async (t) => {
      const start = async () => {
        const metadatad = await startMetadatad({ flags: NO_PREFETCH })
        t.teardown(() => metadatad[Symbol.asyncDispose]())
        const pod = addCloudPod(metadatad, '127.0.21.121', 'early')
        metadatad.sandbox.aws.latencyMs = 900
        const first = await runAwsClient(metadatad, client, { ip: pod.ip })
        return { metadatad, pod, first, requests: first.requests }
      }
      // There is only one first time: with another daemon, then.
      const { metadatad, pod, first } = await answered(start)
      const { sandbox } = metadatad
      t.equal(first.printed, undefined)
      const { status } = first.requests.at(-1)!
      t.equal(status, 503, 'not later: Go would have given up')
      const { printed } = await eventually(
        () => runAwsClient(metadatad, client, { ip: pod.ip }),
        ({ printed }) => printed !== undefined,
      )
      t.match(sandbox.aws.inspect(String(printed?.accessKeyId)), { podUid: pod.uid })
      t.strictSame(cloudCalls(sandbox), ONE_CALL)
    },
  )
}
