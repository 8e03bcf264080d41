import t from 'tap'
import { eventually } from '../../support/eventually.ts'
import { startMetadatad } from '../../support/start-metadatad.ts'
import { addCloudPod, prefetched } from '../three-clouds.ts'
import { IMDS_CLIENTS } from './clients.ts'
import { runAwsClient } from './run-aws-client.ts'

/** Those that give a PUT up after a second, and what they end with when there is nothing else. */
const HASTY: Readonly<Record<string, RegExp>> = {
  'js-v3-chain': /Could not load credentials from any providers/,
  'js-v2-chain': /statusCode: 401/,
  'botocore-imds': /botocore found no credentials/,
}

for (const imdsV1 of ['true', 'false']) {
  t.test(`SDKs whose PUT is lost go on without a token, and aws.imdsV1 is ${imdsV1}`, async (t) => {
    await using metadatad = await startMetadatad({ flags: { 'aws.imdsV1': imdsV1 } })
    const { sandbox } = metadatad
    const pod = addCloudPod(metadatad, '127.0.21.110', 'fallback')
    await prefetched(metadatad, pod)
    const clients = IMDS_CLIENTS.filter(({ name }) => name in HASTY)
    const runs = clients.map((client) =>
      t.test(client.name, { skip: client.missing ?? false, buffered: true }, async (t) => {
        const isLost = (line: string) => line.startsWith('PUT ')
        // They wait for no answer longer than a second, and a starved machine may need more.
        const run = () =>
          eventually(
            () =>
              runAwsClient(metadatad, client, {
                ip: pod.ip,
                from: (line) => (isLost(line) ? undefined : pod.ip),
              }),
            ({ requests }) => requests.every(({ line, status }) => isLost(line) || status !== undefined),
          )
        let ran = await run()
        // An answer that comes as they give it up is none to them.
        for (let n = 0; n < 2 && imdsV1 === 'true' && ran.printed === undefined; n++) ran = await run()
        const { printed, error, requests, elapsedMs } = ran
        const answered = requests.map(({ status }) => status).filter((status) => status !== undefined)
        if (imdsV1 === 'true') {
          t.match(sandbox.aws.inspect(String(printed?.accessKeyId)), {
            roleArn: pod.roleArn,
            podUid: pod.uid,
          })
          // Sent again where the machine is so slow that a second passes.
          t.strictSame([...new Set(answered)], [200])
        } else {
          t.equal(printed, undefined)
          t.match(error, HASTY[client.name])
          t.strictSame([...new Set(answered)], [401])
        }
        t.comment(`${requests.length} requests, ${elapsedMs} ms in all`)
      }),
    )
    await Promise.all(runs)
  })
}
