import t, { type Test } from 'tap'
import { azureTokenPath, patiently, ROLES } from '../sdk/cloud-questions.ts'
import { addCloudPod, type CloudPod, cloudCalls } from '../sdk/three-clouds.ts'
import { ask } from '../support/ask.ts'
import { type Metadatad, startMetadatad } from '../support/start-metadatad.ts'
import { SteadyClock } from '../support/steady-clock.ts'
import { gatherHerd, type HerdOptions } from './herd.ts'

const HERD = 1_000
const VAULT = 'https://vault.azure.net'
const EKS_AUDIENCE = 'pods.eks.amazonaws.com'
const CREDENTIAL = /"(?:AccessKeyId|access_token)"\s*:\s*"([^"]+)"/

/** Nothing is cached, but the way to the cloud is known: another pod has been served. */
async function startWarm(): Promise<{ metadatad: Metadatad; pod: CloudPod }> {
  // What obtaining a credential may take is no reason for a second call on a machine that sleeps meanwhile.
  const metadatad = await startMetadatad({
    clock: new SteadyClock(),
    flags: { 'credentials.prefetch': 'false' },
  })
  const earlier = addCloudPod(metadatad, '127.0.23.1', 'earlier')
  const { host, sandbox } = metadatad
  await patiently(() => ask(host, `${ROLES}role-earlier`, { ip: earlier.ip }))
  await patiently(() => ask(host, azureTokenPath(VAULT), { ip: earlier.ip, headers: { Metadata: 'true' } }))
  const pod = addCloudPod(metadatad, '127.0.23.2', 'herd')
  await patiently(() => ask(host, ROLES, { ip: pod.ip }))
  for (const service of [sandbox.kubernetes, sandbox.aws, sandbox.azure]) service.resetCalls()
  return { metadatad, pod }
}

/**
 * A thousand requests at one moment: whoever is answered gets the same credential, and those that a busy machine keeps waiting for
 * too long are told to come back, and get it then.
 */
async function stampede(
  t: Test,
  { metadatad, pod }: { metadatad: Metadatad; pod: CloudPod },
  path: string,
  options: HerdOptions,
): Promise<string> {
  const herd = await gatherHerd(metadatad, pod.ip, path, HERD, options)
  const answers = await herd.run()
  const statuses = new Map<string, number>()
  const credentials = new Set<string>()
  for (const answer of answers) {
    const status = answer.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length)
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    if (status === '200') credentials.add(CREDENTIAL.exec(answer)?.[1] ?? answer)
    else if (!/^retry-after: \d+\r$/im.test(answer)) t.fail(answer)
  }
  t.comment(JSON.stringify([...statuses]))
  t.strictSame(new Set([...statuses.keys(), '200', '503']), new Set(['200', '503']))

  const { host = metadatad.host, headers = '' } = options
  const [name = '', value = ''] = headers.split(': ')
  const late = await patiently(() => ask(host, path, { ip: pod.ip, headers: { [name]: value } }))
  credentials.add(CREDENTIAL.exec(late.body)?.[1] ?? late.body)
  t.equal(credentials.size, 1)
  return [...credentials][0]!
}

t.test('a thousand first requests of one pod at IMDS cost one call of AWS', async (t) => {
  const world = await startWarm()
  await using metadatad = world.metadatad
  const { sandbox, host } = metadatad
  sandbox.aws.latencyMs = 50
  const { body: token } = await ask(host, '/latest/api/token', {
    ip: world.pod.ip,
    method: 'PUT',
    headers: { 'X-aws-ec2-metadata-token-ttl-seconds': '60' },
  })
  const headers = `X-aws-ec2-metadata-token: ${token}`
  const accessKeyId = await stampede(t, world, `${ROLES}role-herd`, { headers })
  t.match(sandbox.aws.inspect(accessKeyId), { roleArn: world.pod.roleArn, podUid: world.pod.uid })
  t.strictSame(cloudCalls(sandbox), { tokenRequest: 1, assumeRole: 1, entra: 0 })
})

t.test('a thousand first requests of one pod for container credentials cost one call of AWS', async (t) => {
  const world = await startWarm()
  await using metadatad = world.metadatad
  const { sandbox, containerHost: host } = metadatad
  sandbox.aws.latencyMs = 50
  const jwt = await sandbox.kubernetes.mintToken({ namespace: 'ns', name: 'herd' }, EKS_AUDIENCE)
  const headers = `Authorization: ${jwt}`
  const accessKeyId = await stampede(t, world, '/v1/credentials', { host, headers })
  t.match(sandbox.aws.inspect(accessKeyId), { roleArn: world.pod.roleArn, podUid: world.pod.uid })
  t.strictSame(cloudCalls(sandbox), { tokenRequest: 1, assumeRole: 1, entra: 0 })
})

t.test('a thousand first requests of one pod for an Azure token cost one call of Entra', async (t) => {
  const world = await startWarm()
  await using metadatad = world.metadatad
  const { sandbox } = metadatad
  sandbox.azure.latencyMs = 50
  const token = await stampede(t, world, azureTokenPath(VAULT), { headers: 'Metadata: true' })
  t.match(sandbox.azure.inspect(token), { clientId: world.pod.clientId, podUid: world.pod.uid })
  t.strictSame(cloudCalls(sandbox), { tokenRequest: 1, assumeRole: 0, entra: 1 })
})
