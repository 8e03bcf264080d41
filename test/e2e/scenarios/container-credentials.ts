import assert from 'node:assert/strict'
import { eventually } from '../../support/eventually.ts'
import type { BedPod } from '../bed/pod.ts'
import type { Dial, DialResult } from '../client/dial.ts'
import { dialFrom } from '../client/dial-from.ts'
import { CONTAINER_CREDENTIALS, containerToken, credentialDials } from '../container-credentials.ts'
import type { DaemonProcess } from '../daemon-process.ts'
import { expectSilence } from '../expect-silence.ts'
import type { Scenario } from '../scenario.ts'
import type { World } from '../world.ts'

const DRAIN = ['--listen-drain', '1s'] as const

/** EKS's addresses of container credentials are answered only where that is asked for, and only to the pod whose token it is. */
export const containerCredentials: Scenario = {
  name: 'container-credentials',
  async run(world) {
    const { pods } = world
    const tokens = new Map<BedPod, string>()
    for (const pod of pods) tokens.set(pod, await containerToken(world, pod))
    const expectNone = () =>
      Promise.all(pods.map((pod) => expectSilence(pod, credentialDials(tokens.get(pod)))))
    const before = await world.startDaemon(...DRAIN)
    await before.ready()
    await expectNone()

    const daemon = await succeed(world, before, ...CONTAINER_CREDENTIALS)
    const others = [{ protocol: 'tcp', host: '169.254.170.2', port: 80, path: '/v1/credentials' }] as const
    await Promise.all(pods.map((pod) => expectSilence(pod, others)))
    let requests = 0
    let failures = 0
    let wrongIdentities = 0
    for (const pod of pods) {
      for (const [owner, token] of tokens) {
        for (const result of await dialPatiently(pod, credentialDials(token))) {
          requests++
          const who = podOf(result, world)
          if (who !== undefined && who !== pod.spec.uid) wrongIdentities++
          const expected = owner === pod ? pod.spec.uid : undefined
          if (who !== expected) failures++
          if (owner !== pod) assert.match(result.text, /^HTTP\/1\.\d 403 /, result.host)
        }
      }
      for (const { text, host } of await dialPatiently(pod, credentialDials())) {
        requests++
        assert.match(text, /^HTTP\/1\.\d 400 /, host)
      }
    }
    await succeed(world, daemon)
    await expectNone()
    return {
      requests,
      failures,
      packetsAtCloud: await world.packetsAtCloud(),
      wrongIdentities,
      note: "silent unless listen.containerCredentials has them, which an update turns on and another one off; each pod is given its own role with its own token, over IPv4 and IPv6, is refused with any other pod's and without one; 169.254.170.2 stays silent",
    }
  },
}

/** An update: the next daemon is ready before the last one is stopped. */
async function succeed(
  world: World,
  last: DaemonProcess,
  ...flags: readonly string[]
): Promise<DaemonProcess> {
  const next = await world.startDaemon(...DRAIN, ...flags)
  await next.ready()
  last.signal('SIGTERM')
  await last.ended()
  return next
}

/** Asks as SDKs do: 503 is asked again. */
function dialPatiently(pod: BedPod, dials: readonly Dial[]): Promise<DialResult[]> {
  return eventually(
    () => dialFrom(pod, dials),
    (results) => results.every(({ text }) => !/^HTTP\/1\.\d 503 /.test(text)),
  )
}

/** Whose the credentials are, by the word of STS; undefined if there are none. */
function podOf({ text }: DialResult, { sandbox }: World): string | undefined {
  if (!/^HTTP\/1\.\d 200 /.test(text)) return undefined
  const { AccessKeyId } = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))
  return sandbox.aws.inspect(AccessKeyId)?.podUid ?? 'nobody'
}
