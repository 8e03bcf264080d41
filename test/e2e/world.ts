import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SANDBOX_NODE } from '../../src/sandbox/names.ts'
import {
  grantSandboxApplication,
  grantSandboxRole,
  sandboxMember,
  writeSandboxConfig,
} from '../../src/sandbox/sandbox-config.ts'
import type { Sandbox } from '../../src/sandbox/sandbox-types.ts'
import { startSandbox } from '../../src/sandbox/start-sandbox.ts'
import { NetNamespace } from '../support/net-namespace.ts'
import { gsa } from '../support/pod-questions.ts'
import { type Cloud, startCloud } from './bed/cloud.ts'
import { masquerade, setUpNode } from './bed/node.ts'
import { BedPod, type PodSpec } from './bed/pod.ts'
import { run } from './bed/run.ts'
import { type DaemonProcess, METADATAD, startDaemonProcess } from './daemon-process.ts'

const PODS = [
  { name: 'routed-a', wiring: 'routed', ipv4: '10.90.0.11', ipv6: 'fd00:90::11' },
  { name: 'routed-b', wiring: 'routed', ipv4: '10.90.0.12', ipv6: 'fd00:90::12' },
  { name: 'bridged-c', wiring: 'bridged', ipv4: '10.91.0.11', ipv6: 'fd00:91::11' },
  { name: 'bridged-d', wiring: 'bridged', ipv4: '10.91.0.12', ipv6: 'fd00:91::12' },
] as const

/** The namespace of pods, unless said otherwise. */
export const NAMESPACE = 'e2e'

/** A pod to be. */
export interface NewPod extends Omit<PodSpec, 'uid' | 'email' | 'roleArn' | 'clientId'> {
  /** In the cluster; `e2e` if absent. */
  readonly namespace?: string
  /** The name of its ServiceAccount; the pod's own if absent. */
  readonly account?: string
}

/** Where a world may make what it needs; whoever gives it removes it all afterwards. */
export interface Place {
  /** Part of the name of every network namespace. */
  readonly id: string
  /** A directory for files. */
  readonly directory: string
  /** A cgroup (version 2) of its own. */
  readonly cgroup: string
}

/**
 * A node (this process's network namespace), four pods, a cluster, three clouds, and outside the node the cloud's raw metadata
 * server.
 */
export interface World {
  readonly place: Place
  readonly sandbox: Sandbox
  readonly cloud: Cloud
  /** Routed, routed, bridged, bridged. */
  readonly pods: readonly [BedPod, BedPod, BedPod, BedPod]
  readonly configFile: string
  /** What every command is given besides the file, as an operator would. */
  readonly flags: readonly string[]
  /** Starts a daemon of this node; it has not begun to serve yet. */
  startDaemon(...flags: readonly string[]): Promise<DaemonProcess>
  /** Runs `metadatad intercept COMMAND` to its end. @throws Error with what it said, if it fails */
  intercept(command: 'install' | 'remove', ...flags: readonly string[]): Promise<string>
  /** Starts one more pod on the node; its ServiceAccount has an identity of its own in each cloud. */
  startPod(pod: NewPod): Promise<BedPod>
  /** How many packets of pods for metadata addresses have left the node so far. */
  packetsAtCloud(): Promise<number>
}

/** Builds it in the namespace that this process runs in. */
export async function createWorld(place: Place, stack: AsyncDisposableStack): Promise<World> {
  const space = async (role: string) => stack.use(await NetNamespace.create(`${place.id}-${role}`))
  const cloudSpace = await space('cloud')
  await setUpNode(cloudSpace)
  await masquerade(place.directory)
  const cloud = await startCloud(cloudSpace)

  const sandbox = stack.adopt(await startSandbox(), (it) => it.close())
  const configFile = await writeSandboxConfig(sandbox, place.directory, {
    metadata: '127.0.0.1:0',
    admin: '127.0.0.1:9989',
  })
  // Where to listen for pods follows from the mode of interception.
  const yaml = await readFile(configFile, 'utf8')
  await writeFile(configFile, yaml.replace(/metadata: \[[^\]]*\], /, ''))

  async function startPod(pod: NewPod): Promise<BedPod> {
    const { name, namespace = NAMESPACE, account = name, ...wiring } = pod
    const email = gsa(name)
    const clientId = randomUUID()
    const roleArn = grantSandboxRole(sandbox, name, namespace, account)
    grantSandboxApplication(sandbox, clientId, namespace, account)
    sandbox.google.grant(email, sandboxMember(namespace, account))
    sandbox.kubernetes.applyServiceAccount(namespace, account, {
      'iam.gke.io/gcp-service-account': email,
      'eks.amazonaws.com/role-arn': roleArn,
      'azure.workload.identity/client-id': clientId,
    })
    const uid = sandbox.kubernetes.createPod({
      namespace,
      name,
      serviceAccountName: account,
      nodeName: SANDBOX_NODE,
      ips: [pod.ipv4, pod.ipv6],
    })
    const spec = { name, ...wiring, uid, email, roleArn, clientId }
    return await BedPod.start(spec, await space(name), place.cgroup)
  }
  const pods: BedPod[] = []
  for (const pod of PODS) pods.push(await startPod(pod))

  const flags = [
    '--intercept-mode',
    'redirect',
    '--caller-proof',
    'require',
    '--caller-cgroup-root',
    place.cgroup,
  ]
  return {
    place,
    sandbox,
    cloud,
    pods: pods as unknown as World['pods'],
    configFile,
    flags,
    startPod,
    intercept: (command, ...more) =>
      run(process.execPath, METADATAD, 'intercept', command, '--config', configFile, ...flags, ...more),
    async packetsAtCloud() {
      const { pods, podsDnsNtp } = await cloud.counts()
      return pods + podsDnsNtp
    },
    async startDaemon(...more) {
      const directory = await mkdtemp(join(place.directory, 'daemon-'))
      return stack.use(startDaemonProcess(['--config', configFile, ...flags, ...more], directory))
    },
  }
}
