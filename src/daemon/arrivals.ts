import type { ReadinessCheck } from '../admin/readiness.ts'
import type { CallerIdentifier } from '../caller/caller.ts'
import type { Config } from '../config/config.ts'
import { createMetadataServer } from '../endpoints/metadata-server.ts'
import type { Protocol } from '../endpoints/protocol.ts'
import { SelfTest } from '../endpoints/self-test/self-test.ts'
import { createSelfTestProtocol } from '../endpoints/self-test/self-test-protocol.ts'
import { createInterception } from '../intercept/create-interception.ts'
import { spawnProgram } from '../intercept/spawn-program.ts'
import type { Clock } from '../lib/clock.ts'
import type { InterceptionReport } from '../lib/interception-report.ts'
import type { Log } from '../lib/log.ts'
import { METADATA_ADDRESSES } from '../lib/metadata-addresses.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { SelfTestExpectation } from '../lib/self-test-greeting.ts'
import { HandOver } from './hand-over.ts'

/** What the arrivals are made with. */
export interface ArrivalsOptions {
  readonly config: Config
  readonly identifier: CallerIdentifier
  readonly protocols: readonly [...Protocol[], Protocol]
  readonly containerCredentials?: Protocol | undefined
  /** Can pods be answered, however they arrive? */
  readonly ready: () => boolean
  readonly podAddresses: () => readonly string[]
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** The pods' server, and how their packets get to it. */
export interface Arrivals {
  readonly checks: readonly ReadinessCheck[]
  /** For the operator. */
  report(): InterceptionReport
  /**
   * Begins to answer.
   *
   * @returns where, in the order of `listen.metadata`, then of `listen.containerCredentials`; nothing where packets are
   * intercepted
   * @throws MetadatadError `LISTEN_FAILED`, `INTERCEPT_*`
   */
  open(): Promise<readonly { readonly address: string; readonly port: number }[]>
  /** Lets a successor take over: see `HandOver.drain`. At once where nothing is intercepted. */
  drain(): Promise<void>
  close(): Promise<void>
}

const STOP_GRACE_MS = 2_000
const NOTHING_INTERCEPTED: Omit<InterceptionReport, 'selfTest'> = {
  mode: 'none',
  checkedAt: undefined,
  claimed: false,
  generation: undefined,
  ports: {},
  served: {},
  drift: [],
}

/** Makes the server that pods see, reached as `intercept.mode` says. */
export function createArrivals(options: ArrivalsOptions): Arrivals {
  const { config, protocols, clock, log, metrics } = options
  const shared = { clock, log, metrics }
  const { mode, probe } = config.intercept
  const interception =
    mode === 'none'
      ? undefined
      : createInterception({
          mode,
          config: config.intercept,
          containerCredentials: config.listen.containerCredentials.map(({ host }) => host),
          run: spawnProgram,
          clock,
          log,
        })
  const captured = interception?.captures.map(({ original }) => original.host) ?? ['169.254.169.254']
  const selfTest = new SelfTest({
    ...shared,
    node: config.node.name,
    expected: expectation(config, captured),
  })
  const selfTestBeside = (fallback: Protocol) => createSelfTestProtocol({ selfTest, probe, fallback, clock })
  const containers = options.containerCredentials
  const server = createMetadataServer({
    ...options,
    protocols: [...protocols, selfTestBeside(protocols[0]!)],
    containerCredentials: containers && [selfTestBeside(containers), containers],
    limits: {
      connections: config.limits.connections,
      connectionsPerAddress: config.limits.connectionsPerPod,
    },
  })
  if (interception === undefined) {
    return {
      checks: [],
      report: () => ({ ...NOTHING_INTERCEPTED, selfTest: selfTest.status }),
      async open() {
        const opened = []
        for (const { host, port } of config.listen.metadata) {
          opened.push(await server.listen(host, port, { dialled: INSTANCE_METADATA }))
        }
        for (const { host, port } of config.listen.containerCredentials) {
          opened.push(await server.listen(host, port, { serves: 'credentials' }))
        }
        return opened
      },
      drain: async () => {},
      close: () => server.close(STOP_GRACE_MS),
    }
  }

  const { ready, podAddresses } = options
  const { drainMs } = config.listen
  const handOver = new HandOver({ ...shared, interception, server, ready, podAddresses, drainMs })
  return {
    checks: [handOver.check],
    report: () => ({ mode, ...handOver.report(), selfTest: selfTest.status }),
    async open() {
      await handOver.start()
      return []
    },
    drain: () => handOver.drain(),
    async close() {
      await handOver.stop()
      await server.close(STOP_GRACE_MS)
    },
  }
}

/** What the pod's own socket may show, where something that is not ours brings the packets. */
const INSTANCE_METADATA = METADATA_ADDRESSES.filter(({ serves }) => serves === 'instance').map(
  ({ address }) => ({
    address,
    port: 80,
  }),
)

function expectation({ intercept }: Config, captured: readonly string[]): SelfTestExpectation {
  const { mode, allow, keepPodIdentityAgent } = intercept
  return { mode, captured, allow, exempt: keepPodIdentityAgent ? ['169.254.170.23', 'fd00:ec2::23'] : [] }
}
