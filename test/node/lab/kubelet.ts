import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { ControlPlane } from '../../cluster/control-plane.ts'
import type { NodeSpace } from './node-space.ts'
import { runtimeEnvironment } from './start-containerd.ts'

/** Where things are. */
export interface KubeletPlace {
  readonly name: string
  readonly address: string
  readonly directory: string
  readonly plane: ControlPlane
  /** The folder that has the kubelet. */
  readonly programs: string
  readonly runtime: string
}

/** A node's kubelet. */
export class Kubelet {
  readonly #space: NodeSpace
  readonly #place: KubeletPlace

  constructor(space: NodeSpace, place: KubeletPlace) {
    this.#space = space
    this.#place = place
  }

  /** Starts it, for the first time or again; it registers its node. */
  async start(): Promise<void> {
    const { name, address, directory, programs, runtime } = this.#place
    const file = (base: string) => join(directory, base)
    await this.#write()
    const flags = [
      `--config=${file('kubelet.json')}`,
      `--kubeconfig=${file('kubeconfig')}`,
      `--hostname-override=${name}`,
      `--node-ip=${address}`,
    ]
    // The shell's process becomes the kubelet, so the file has its number inside the node.
    const script = 'echo $$ > "$0" && exec "$@"'
    const args = ['-c', script, file('kubelet.pid'), join(programs, 'kubelet'), ...flags]
    this.#space.start('sh', args, file('kubelet.log'), runtimeEnvironment(runtime))
  }

  /** Ends it, as a crash would; its pods stay. */
  async kill(): Promise<void> {
    const pid = (await readFile(join(this.#place.directory, 'kubelet.pid'), 'utf8')).trim()
    await this.#space.run('kill', ['-KILL', pid])
    while (
      await this.#space.run('kill', ['-0', pid]).then(
        () => true,
        () => false,
      )
    )
      await setTimeout(20)
  }

  async #write(): Promise<void> {
    const { name, address, directory, plane } = this.#place
    const file = (base: string) => join(directory, base)
    const { cert, key } = await plane.ca.issueServer([address, name])
    const files = {
      'ca.crt': plane.ca.pem,
      'kubelet.crt': cert,
      'kubelet.key': key,
      kubeconfig: await plane.kubeconfig(`system:node:${name}`, ['system:nodes']),
      'resolv.conf': '',
      'kubelet.json': JSON.stringify(configuration(address, file)),
    }
    await mkdir(file('plugins'), { recursive: true })
    for (const [base, text] of Object.entries(files)) await writeFile(file(base), text, { mode: 0o600 })
  }
}

function configuration(address: string, file: (base: string) => string): unknown {
  const nothing = [
    'memory.available',
    'nodefs.available',
    'nodefs.inodesFree',
    'imagefs.available',
    'imagefs.inodesFree',
  ]
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address,
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    tlsCertFile: file('kubelet.crt'),
    tlsPrivateKeyFile: file('kubelet.key'),
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: file('ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    volumePluginDir: file('plugins'),
    resolvConf: file('resolv.conf'),
    clusterDomain: 'cluster.local',
    failSwapOn: false,
    failCgroupV1: false,
    cgroupDriver: 'cgroupfs',
    // A lower score and more files need CAP_SYS_RESOURCE.
    oomScoreAdj: 0,
    maxOpenFiles: 65_536,
    // Sysctls are only looked at, never written, and rules of its own are none of this node's.
    protectKernelDefaults: true,
    makeIPTablesUtilChains: false,
    // Whatever else the machine does, no pod has to go for it.
    evictionHard: Object.fromEntries(nothing.map((name) => [name, '0%'])),
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    nodeStatusUpdateFrequency: '10s',
  }
}
