import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createCertificateAuthority } from '../../src/sandbox/certificate-authority.ts'
import { type Clouds, startClouds } from '../../src/sandbox/start-clouds.ts'
import { ControlPlane } from '../cluster/control-plane.ts'
import { LAB } from './lab/addresses.ts'
import { type LabNode, startLabNode } from './lab/lab-node.ts'
import { type RawMetadata, startRawMetadata } from './lab/raw-metadata.ts'
import { trustCluster } from './lab/trust-cluster.ts'
import type { Place } from './place.ts'
import { type RunOptions, runProgram } from './run-program.ts'
import { waitFor } from './wait-for.ts'

/** What a lab is made from: paths. */
export interface Ingredients {
  readonly programs: string
  readonly runtime: string
  readonly images: readonly string[]
}

/** A cluster with two nodes, and the clouds it is registered with. */
export interface World {
  readonly directory: string
  readonly plane: ControlPlane
  readonly clouds: Clouds
  readonly raw: RawMetadata
  readonly nodes: readonly LabNode[]
  kubectl(args: readonly string[], options?: RunOptions): Promise<string>
  /** `kubectl` and its first arguments, for a program that is to run on. */
  readonly kubectlCommand: readonly string[]
  say(line: string): void
}

const NODES = 2
const API_PORT = 6443
const READY_MS = 120_000
/** Whose requests are counted. */
const DAEMON_USER = 'system:serviceaccount:metadatad:metadatad'

/** The one Service that pods use, without a kube-proxy. */
const SERVICE = `table ip services {
  chain prerouting {
    type nat hook prerouting priority dstnat
    ip daddr ${LAB.service} tcp dport 443 dnat to ${LAB.controlPlane}:${API_PORT}
  }
}`

/** Builds it in the network namespace that this process is in, which becomes the data centre's. */
export async function createWorld(
  { directory, cgroup }: Place,
  { programs, runtime, images }: Ingredients,
  say: World['say'],
): Promise<World> {
  const ip = (...args: string[]) => runProgram('ip', args)
  await ip('link', 'set', 'lo', 'up')
  await ip('link', 'add', 'switch', 'type', 'bridge')
  await ip('address', 'add', `${LAB.controlPlane}/24`, 'dev', 'switch')
  await ip('link', 'set', 'switch', 'up')
  await runProgram('nft', ['-f', '-'], { input: SERVICE })

  const ca = await createCertificateAuthority()
  const plane = await ControlPlane.start({
    directory: join(directory, 'plane'),
    programs,
    ca,
    host: LAB.controlPlane,
    port: API_PORT,
    with: ['controller-manager', 'scheduler'],
    audited: [DAEMON_USER],
  })
  say('control plane is ready')
  const clouds = await startClouds({ ca, clock: systemClock, log: silentLog, host: LAB.controlPlane })
  await trustCluster(plane, clouds)
  const raw = await startRawMetadata(NODES)
  const parts = {
    directory: join(directory, 'nodes'),
    cgroup,
    plane,
    programs,
    runtime,
    images,
    nodes: NODES,
  }
  await mkdir(parts.directory)
  const nodes = await Promise.all(Array.from({ length: NODES }, (_, i) => startLabNode(i + 1, parts)))
  say('containers can run')
  for (const { name } of nodes)
    await waitFor(`node ${name} to be ready`, READY_MS, () => isReady(plane, name))
  await waitFor('namespace default to have its ServiceAccount', READY_MS, async () => {
    const { status } = await plane.admin.ask('GET', '/api/v1/namespaces/default/serviceaccounts/default')
    return status === 200
  })
  const kubeconfig = join(directory, 'admin.kubeconfig')
  await writeFile(kubeconfig, await plane.kubeconfig('kubernetes-admin', ['system:masters']), { mode: 0o600 })
  const [program, ...first] = [
    join(programs, 'kubectl'),
    `--kubeconfig=${kubeconfig}`,
    `--cache-dir=${directory}/kubectl`,
  ] as const
  return {
    directory,
    plane,
    clouds,
    raw,
    nodes,
    say,
    kubectl: (args, options) => runProgram(program, [...first, ...args], options),
    kubectlCommand: [program, ...first],
  }
}

async function isReady(plane: ControlPlane, name: string): Promise<boolean> {
  const { status, body } = await plane.admin.ask('GET', `/api/v1/nodes/${name}`)
  const conditions: { type: string; status: string }[] = status === 200 ? (body.status.conditions ?? []) : []
  return conditions.some((it) => it.type === 'Ready' && it.status === 'True')
}
