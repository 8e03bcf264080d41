import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { CLIENT_IMAGE } from '../prepare/ensure-client-image.ts'
import type { NodeSpace } from './node-space.ts'

const READY_MS = 60_000
const IMPORT_MS = 120_000
/** Few, so that addresses are given to the next pod soon. */
const POD_ADDRESSES = 28

/** Where things are. */
export interface ContainerdPlace {
  readonly directory: string
  /** The folder that `ensureRuntime` gave. */
  readonly runtime: string
  /** Of the node's pods: `10.1.1.0/24`. */
  readonly pods: string
  /** Archives of images. */
  readonly images: readonly string[]
}

/** The environment in which the node's programs find containerd, runc and the machine's own programs. */
export function runtimeEnvironment(runtime: string): NodeJS.ProcessEnv {
  return { PATH: `${runtime}/usr/sbin:${runtime}/usr/bin:${process.env.PATH}` }
}

/**
 * Starts containerd with a bridge for its pods, and gives it the images.
 *
 * @returns containerd's own client: takes arguments, returns what it printed
 */
export async function startContainerd(
  space: NodeSpace,
  place: ContainerdPlace,
): Promise<(...args: string[]) => Promise<string>> {
  const { directory, runtime, images } = place
  const env = runtimeEnvironment(runtime)
  const networks = join(directory, 'networks')
  await mkdir(networks)
  await writeFile(join(networks, '10-pods.conflist'), JSON.stringify(network(place.pods)))
  const config = join(directory, 'containerd.toml')
  await writeFile(config, settings(directory, runtime, networks))
  const containerd = space.start('containerd', ['--config', config], join(directory, 'containerd.log'), env)
  const ctr = (...args: string[]) =>
    space.run('ctr', ['--namespace', 'k8s.io', ...args], { env, timeoutMs: IMPORT_MS })
  const until = performance.now() + READY_MS
  while (
    !(await ctr('version').then(
      () => true,
      () => false,
    ))
  ) {
    if (containerd.exitCode !== null || performance.now() > until)
      throw new Error('containerd does not start')
    await setTimeout(50)
  }
  for (const image of images) await ctr('images', 'import', image)
  return ctr
}

function network(pods: string): unknown {
  const [base] = pods.split('.0/')
  const range = { subnet: pods, rangeStart: `${base}.10`, rangeEnd: `${base}.${10 + POD_ADDRESSES - 1}` }
  const ipam = { type: 'host-local', ranges: [[range]], dataDir: '/var/lib/cni/networks' }
  const bridge = {
    type: 'bridge',
    bridge: 'cni0',
    isDefaultGateway: true,
    ipMasq: false,
    hairpinMode: true,
    ipam,
  }
  return { cniVersion: '0.4.0', name: 'pods', plugins: [bridge] }
}

function settings(directory: string, runtime: string, networks: string): string {
  const unused = [
    'snapshotter.v1.aufs',
    'snapshotter.v1.btrfs',
    'snapshotter.v1.zfs',
    'snapshotter.v1.devmapper',
  ]
  return `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ${JSON.stringify([...unused, 'internal.v1.tracing'].map((name) => `io.containerd.${name}`))}
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "${directory}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${CLIENT_IMAGE}"
  # Without CAP_SYS_RESOURCE no score can be lowered, and CRI asks for -998 for every sandbox.
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${runtime}/usr/lib/cni"
    conf_dir = "${networks}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
`
}
