import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SELF_TEST_PATH } from '../../../src/lib/self-test-greeting.ts'
import { eventually } from '../../support/eventually.ts'
import { BED, RAW_ANSWER } from '../bed/addresses.ts'
import type { BedPod } from '../bed/pod.ts'
import { run } from '../bed/run.ts'
import { runHere } from '../bed/run-here.ts'
import { dialFrom } from '../client/dial-from.ts'
import { METADATAD } from '../daemon-process.ts'
import type { Scenario } from '../scenario.ts'
import type { World } from '../world.ts'

const PROBE = {
  name: 'probe',
  namespace: 'metadatad',
  account: 'metadatad-probe',
  wiring: 'routed',
  ipv4: '10.90.0.13',
  ipv6: 'fd00:90::13',
} as const
const METRICS = 'http://127.0.0.1:9989/metrics'
const HOLE = '169.254.170.2'
const PLACE_OF_REPORTS = { protocol: 'tcp', host: '169.254.169.254', port: 80, path: SELF_TEST_PATH } as const

// Another program on the node (a CNI's eBPF may be one) leads packets elsewhere before any rule of ours sees where they were
// meant to go, and gives the answers the source that the pod expects.
const DETOUR = `
table ip detour {
  chain arrived {
    type filter hook prerouting priority -350
    iifname != "uplink" ip daddr ${HOLE} ip daddr set ${BED.cloud.ipv4}
  }
  chain leaving {
    type filter hook postrouting priority 350
    oifname != "uplink" ip saddr ${BED.cloud.ipv4} ip saddr set ${HOLE}
  }
}
`

/** The probe tells the daemon what a pod really reaches: so a hole is found that no look at the rules could show. */
export const selfTest: Scenario = {
  name: 'self-test',
  async run(world) {
    const daemon = await world.startDaemon()
    await daemon.ready()
    const probe = await world.startPod(PROBE)
    const unproved = await check(world)
    assert.equal(await proved(), 0)
    assert.match(unproved.words, /no probe pod of this node has reported yet/)

    const whole = await runProbe(probe)
    assert.deepEqual(whole.findings, [])
    assert.equal(await proved(), 1)
    await expectProved(world)
    const [stranger] = await dialFrom(world.pods[0], [PLACE_OF_REPORTS])
    assert.match(stranger!.text, /^HTTP\/1\.\d 404 /)
    assert.doesNotMatch(stranger!.text, /instance/)
    const packetsAtCloud = await world.packetsAtCloud()

    const detour = join(world.place.directory, 'detour.nft')
    await writeFile(detour, DETOUR)
    await run('nft', '-f', detour)
    const [raw] = await dialFrom(probe, [{ protocol: 'tcp', host: HOLE, port: 80 }])
    assert.ok(raw!.text.includes(RAW_ANSWER), `the hole (${raw!.outcome}) must be one`)
    const holed = await runProbe(probe, ({ findings }) =>
      findings.some(({ port, protocol }) => port === 80 && protocol === 'tcp'),
    )
    for (const { kind, address } of holed.findings) assert.deepEqual([kind, address], ['reached', HOLE])
    assert.equal(await proved(), 0)
    const told = await check(world)
    assert.equal(told.status, 1)
    assert.ok(told.words.includes(`${HOLE} tcp/80 answered, and should be blocked`), told.words)

    await run('nft', 'delete', 'table', 'ip', 'detour')
    const mended = await runProbe(probe)
    assert.deepEqual(mended.findings, [])
    assert.equal(await proved(), 1)
    await expectProved(world)
    return {
      requests: [whole, holed, mended].reduce((sum, { outcomes }) => sum + outcomes.length, 0),
      failures: 0,
      packetsAtCloud,
      wrongIdentities: 0,
      note: `not proved until the probe has reported, then proved; where another program leads ${HOLE} to the raw server before any rule, the probe reports ${holed.findings.length} ports as reached, and it is not proved until that is gone; other pods find no place to report to`,
    }
  },
}

interface Probed {
  readonly outcomes: readonly object[]
  readonly findings: readonly {
    readonly kind: string
    readonly address: string
    readonly port: number
    readonly protocol: string
  }[]
  /** Absent if the daemon took the report. */
  readonly undelivered?: string
}

/**
 * One round, in a container of the pod: the first that was told of in time, and in which nothing that should answer was late, which a
 * slow machine makes of an answer.
 */
function runProbe(pod: BedPod, accepts: (probed: Probed) => boolean = () => true): Promise<Probed> {
  return eventually(
    async () => {
      const args = [METADATAD, 'intercept', 'probe', '--once', '--output', 'json']
      const ran = await pod.run(process.execPath, args)
      assert.ok(ran.status === 0 || ran.status === 1, ran.stderr)
      return JSON.parse(ran.stdout) as Probed
    },
    (probed) =>
      probed.undelivered === undefined &&
      probed.findings.every(({ kind }) => kind !== 'unanswered') &&
      accepts(probed),
  )
}

/** @returns the metric */
async function proved(): Promise<number> {
  const text = await (await fetch(METRICS)).text()
  return Number(/^metadatad_interception_proved (\d+)$/m.exec(text)![1])
}

/** One that had the time to look, and to hear what the daemon has to tell. */
async function check({ configFile, flags }: World): Promise<{ status: number | null; words: string }> {
  const args = [METADATAD, 'intercept', 'check', '--config', configFile, ...flags]
  const { status, stdout } = await eventually(
    () => runHere(process.execPath, args),
    ({ stdout, stderr }) => !/: deadline exceeded|did not end in time/.test(stdout + stderr),
  )
  return { status, words: stdout }
}

async function expectProved(world: World): Promise<void> {
  const { status, words } = await check(world)
  assert.equal(status, 0, words)
  assert.match(words, /^ok\s+a probe pod reached the daemon and nothing else, \d+ s ago$/m)
  assert.doesNotMatch(words, /^(?:not ok|\?)/m)
}
