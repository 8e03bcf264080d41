import assert from 'node:assert/strict'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { request } from 'undici'
import { createKubernetesClient } from '../../../src/kubernetes/create-client.ts'
import { loadConnection } from '../../../src/kubernetes/load-connection.ts'
import { silentLog } from '../../../src/lib/log.ts'
import { createMetrics } from '../../../src/lib/metrics.ts'
import { issuerAgent } from '../../../src/sandbox/issuer-agent.ts'
import { createPodTokenVerifier } from '../../../src/subject/pod-token-verifier.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { identityOf } from '../../support/pod-questions.ts'
import { Callers } from '../callers.ts'
import type { Scenario } from '../scenario.ts'
import { askContainer } from '../tokens/ask-container.ts'
import { CapturedTokens } from '../tokens/captured-tokens.ts'
import { daemonToken } from '../tokens/daemon-token.ts'
import { projectedToken } from '../tokens/projected-token.ts'
import type { World } from '../world.ts'

const IPS = ['127.0.32.1', '127.0.32.2'] as const
const NEW_IP = '127.0.32.3'
const ROLE_IP = '127.0.32.4'
/** The shortest that the API server can be told to keep tokens to; half of what the daemon asks for here. */
const MAX_TOKEN_SECONDS = 3_600
/** How long the daemon may believe in a key that the cluster no longer shows. */
const KEYS_MS = 3_600_000

/**
 * The API server is given a new signing key, and then the old one is withdrawn, while pods ask all the while. From the first restart on
 * it also gives out shorter tokens than it is asked for.
 */
export const keyRotation: Scenario = {
  name: 'key-rotation',
  async run(world) {
    const { plane, clouds } = world
    using captured = new CapturedTokens(clouds)
    const emails = await Promise.all(
      IPS.map(async (ip, i) => {
        const email = await world.googleServiceAccount(`old-${i}`)
        await world.createPod({ name: `old-${i}`, serviceAccount: `old-${i}`, ip })
        return email
      }),
    )
    const newcomer = await world.googleServiceAccount('new')
    await world.awsServiceAccount('role')
    const role = { name: 'role', serviceAccount: 'role' }
    await world.createPod({ ...role, ip: ROLE_IP })

    // As the kubelet does: what is in the file is always good.
    const tokenFile = join(world.directory, 'token')
    const renewDaemonToken = async () => {
      await writeFile(`${tokenFile}.new`, await daemonToken(world), { mode: 0o600 })
      await rename(`${tokenFile}.new`, tokenFile)
    }
    await renewDaemonToken()
    const daemon = await world.startDaemon({
      kubeconfig: plane.kubeconfigOf({ tokenFile }),
      flags: { 'subjectToken.expiration': '2h', 'caller.confirmWithin': '10m' },
    })
    const containerStatus = async (jwt: string) => (await askContainer(daemon, ROLE_IP, jwt)).status
    await plane.audit.read()
    await using callers = new Callers(daemon)
    for (const [i, ip] of IPS.entries()) callers.is(ip, emails[i]!)
    await callers.started()
    const oldToken = await projectedToken(world, role)
    await eventually(
      () => containerStatus(oldToken),
      (status) => status === 200,
    )
    const before = captured.last('google', 'old-0')!
    assert.equal(before.life, 2 * MAX_TOKEN_SECONDS)
    await using patient = await LaterVerifier.create(world)
    assert.ok(await patient.accepts(oldToken))

    const flags = plane.apiServerFlags
    await using undo = new AsyncDisposableStack()
    undo.defer(async () => {
      if (plane.keys.publicKeyFiles.length === 1 && plane.apiServerFlags === flags) return
      // Given up half-way: whatever comes next, this one once more too, finds the API server as it was.
      plane.keys.retire()
      plane.apiServerFlags = flags
      await plane.apiServer.stop()
      await plane.startApiServer()
    })
    await plane.keys.rotate()
    plane.apiServerFlags = [...flags, `--service-account-max-token-expiration=${MAX_TOKEN_SECONDS}s`]
    try {
      await plane.apiServer.stop()
      await Promise.all(IPS.map((ip) => callers.right(ip)))
    } finally {
      await plane.startApiServer()
    }
    await renewDaemonToken()
    await world.createPod({ name: 'new', serviceAccount: 'new', ip: NEW_IP })
    await eventually(
      () => identityOf(daemon, NEW_IP).catch(() => undefined),
      (it) => it === newcomer,
    )
    const after = captured.last('google', 'new')!
    assert.notEqual(after.keyId, before.keyId)
    assert.equal(after.life, MAX_TOKEN_SECONDS)
    assert.deepEqual((await keyIds(world)).sort(), [before.keyId, after.keyId].sort())
    const newToken = await projectedToken(world, role)
    await eventually(
      () => containerStatus(newToken),
      (status) => status === 200,
    )
    const oldStatus = await eventually(
      () => containerStatus(oldToken),
      (status) => status !== 503,
    )
    assert.equal(oldStatus, 200)
    assert.ok(await patient.accepts(oldToken))

    plane.keys.retire()
    plane.apiServerFlags = flags
    try {
      await plane.apiServer.stop()
      await Promise.all(IPS.map((ip) => callers.right(ip)))
    } finally {
      await plane.startApiServer()
    }
    assert.deepEqual(await keyIds(world), [after.keyId])
    await patient.wait(KEYS_MS)
    assert.equal(await patient.accepts(oldToken), false)
    await Promise.all(IPS.map((ip) => callers.right(ip)))

    const { right, wrong, refused, failed } = callers.all
    return {
      operations: right,
      failures: refused + failed.length,
      wrongIdentities: wrong,
      apiCalls: (await plane.audit.read()).length,
      note: `answers while the API server was twice restarted, with a new signing key and then without the old one: new tokens are exchanged and verified at once, and the old key's are refused within an hour ${failed.slice(0, 3)}`,
    }
  },
}

/** The keys that the cluster shows to everybody. */
async function keyIds({ plane: { url, ca } }: World): Promise<string[]> {
  const dispatcher = issuerAgent(ca)
  try {
    const { body } = await request(`${url}/openid/v1/jwks`, { dispatcher })
    const { keys } = (await body.json()) as { keys: { kid: string }[] }
    return keys.map(({ kid }) => kid)
  } finally {
    await dispatcher.destroy()
  }
}

/** The daemon's verifier before the real API server, with a clock that can be put forward. */
class LaterVerifier implements AsyncDisposable {
  readonly #clock = new FakeClock(Date.now())
  readonly #client: ReturnType<typeof createKubernetesClient>
  readonly #verifier: ReturnType<typeof createPodTokenVerifier>

  private constructor(connection: Parameters<typeof createKubernetesClient>[0]) {
    const shared = { clock: this.#clock, log: silentLog }
    this.#client = createKubernetesClient(connection, { ...shared, metrics: createMetrics() })
    this.#verifier = createPodTokenVerifier({ ...shared, client: this.#client })
  }

  static async create({ plane, directory }: World): Promise<LaterVerifier> {
    const kubeconfig = join(directory, 'verifier.kubeconfig')
    await writeFile(kubeconfig, await plane.kubeconfig('verifier', ['system:masters']), { mode: 0o600 })
    return new LaterVerifier(await loadConnection({ kubeconfig, env: {}, clock: new FakeClock(Date.now()) }))
  }

  wait(ms: number): Promise<void> {
    return this.#clock.advance(ms)
  }

  /** @throws MetadatadError other than that the token is not good */
  async accepts(jwt: string): Promise<boolean> {
    try {
      // However long it takes: where it is not told in time the verifier holds on to the keys that it has.
      await this.#verifier.verify(jwt, new AbortController().signal)
      return true
    } catch (err) {
      if ((err as { code?: string }).code !== 'REQUEST_INVALID') throw err
      return false
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close()
  }
}
