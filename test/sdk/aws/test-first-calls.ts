import type { Test } from 'tap'
import { type Metadatad, startMetadatad } from '../../support/start-metadatad.ts'
import { answered } from '../answered.ts'
import { addCloudPod, type CloudPod, cloudCalls, prefetched } from '../three-clouds.ts'
import { type AwsClient, CONTAINER } from './clients.ts'
import { type AwsRan, EKS_AUDIENCE, keysFetched, runAwsClient } from './run-aws-client.ts'

/** What the sandbox's daemon asks for. */
const SESSION_MS = 3_600_000

/** Is what the client has the session of this pod's role, and no other's, asked for after `since`? */
function isOfPod(
  t: Test,
  { sandbox }: Metadatad,
  { pod, since }: { pod: CloudPod; since: number },
  { printed, error }: AwsRan,
): void {
  if (printed === undefined) {
    t.fail(error)
    return
  }
  const { Arn } = printed
  if (Arn !== undefined) {
    // By the word of STS, which checked the signature.
    const role = pod.roleArn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')
    t.equal(String(Arn).slice(0, role.length + 1), `${role}/`)
    t.match(Arn, pod.name)
    return
  }
  // The CLI prints them in another casing.
  const accessKeyId = String(printed.accessKeyId ?? printed.AccessKeyId)
  const session = sandbox.aws.inspect(accessKeyId)
  t.match(session, {
    roleArn: pod.roleArn,
    podUid: pod.uid,
    secretAccessKey: printed.secretAccessKey ?? printed.SecretAccessKey,
    sessionToken: printed.sessionToken ?? printed.SessionToken,
  })
  const expiration = printed.expiration ?? printed.Expiration
  // Of its end, as AWS and as the daemon's clock count it, the earlier one is told, in whole seconds.
  // They differ by what AWS took for its answer.
  if (expiration === undefined) return
  const end = Date.parse(String(expiration))
  t.ok(end <= session!.expiresAt, `${session!.expiresAt - end} ms early`)
  t.ok(end > since + SESSION_MS - 1_000, `${end - since} ms after the pod was made`)
}

function asked(t: Test, client: AwsClient, pod: CloudPod, { requests }: AwsRan): void {
  const role = pod.roleArn.slice(pod.roleArn.lastIndexOf('/') + 1)
  t.strictSame(
    [...new Set(requests.map(({ line, status }) => `${line} ${status}`))],
    [...new Set(client.requests.map((line) => `${line.replace('ROLE', role)} 200`))],
  )
}

/**
 * Runs the clients, each in a pod of its own whose session has been prefetched, while AWS is fast and while it is slow: none may
 * wait for AWS, or have anything asked of it.
 *
 * @param first last byte of the first pod's address
 */
export function testFirstCalls(t: Test, clients: readonly AwsClient[], first: number): void {
  for (const { latencyMs, imdsV1 } of [
    { latencyMs: 50, imdsV1: 'true' },
    { latencyMs: 900, imdsV1: 'false' },
  ]) {
    const name = `the first call waits for nobody while AWS takes ${latencyMs} ms and aws.imdsV1 is ${imdsV1}`
    t.test(name, async (t) => {
      t.jobs = 2
      await using metadatad = await startMetadatad({ flags: { 'aws.imdsV1': imdsV1 } })
      const { sandbox } = metadatad
      const since = Date.now()
      const pods = clients.map(({ name }, n) => addCloudPod(metadatad, `127.0.21.${first + n}`, name))
      for (const pod of pods) await prefetched(metadatad, pod)
      const tokenOf = ({ name }: CloudPod) =>
        sandbox.kubernetes.mintToken({ namespace: 'ns', name }, EKS_AUDIENCE)
      await keysFetched(metadatad, pods[0]!.ip, await tokenOf(pods[0]!))
      const before = cloudCalls(sandbox)
      sandbox.aws.latencyMs = latencyMs

      const runs = clients.map((client, n) =>
        t.test(client.name, { skip: client.missing ?? false, buffered: true }, async (t) => {
          const pod = pods[n]!
          const jwt = client.requests === CONTAINER ? await tokenOf(pod) : undefined
          const ran = await answered(() => runAwsClient(metadatad, client, { ip: pod.ip, jwt }))
          isOfPod(t, metadatad, { pod, since }, ran)
          asked(t, client, pod, ran)
          t.comment(`${ran.printed?.elapsedMs ?? '?'} ms for the credential, ${ran.elapsedMs} ms in all`)
        }),
      )
      await Promise.all(runs)
      t.strictSame(cloudCalls(sandbox), before, 'nothing was asked of the cloud or the cluster')
    })
  }
}
