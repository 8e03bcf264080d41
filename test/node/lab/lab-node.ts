import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ControlPlane } from '../../cluster/control-plane.ts'
import { runProgram } from '../run-program.ts'
import { LAB, nodeAddresses } from './addresses.ts'
import { createCgroup } from './create-cgroup.ts'
import { Kubelet } from './kubelet.ts'
import { mountNode } from './mount-node.ts'
import { NodeSpace } from './node-space.ts'
import { startContainerd } from './start-containerd.ts'

/** What a node is made of. */
export interface LabNodeOptions {
  readonly directory: string
  /** The lab's cgroup. */
  readonly cgroup: string
  readonly plane: ControlPlane
  readonly programs: string
  readonly runtime: string
  readonly images: readonly string[]
  /** How many nodes the lab has. */
  readonly nodes: number
}

/** A real node: containerd and a kubelet, in namespaces of their own. */
export interface LabNode {
  readonly name: string
  readonly address: string
  /** Its own files, /var/log as `log` among them. */
  readonly directory: string
  readonly space: NodeSpace
  readonly kubelet: Kubelet
  /** containerd's own client: takes arguments, returns what it printed. */
  ctr(...args: string[]): Promise<string>
}

/** `cpu.shares`: of a machine with two processors, and of its own programs beside all pods, as systemd's slices have them. */
const [SHARES, SYSTEM_SHARES] = [2_048, 1_024]

/** Makes a node in the data centre's network, which this process is in, and starts its kubelet. */
export async function startLabNode(number: number, options: LabNodeOptions): Promise<LabNode> {
  const { plane, programs, runtime, images } = options
  const { name, address, pods } = nodeAddresses(number)
  const directory = join(options.directory, name)
  await mkdir(directory)
  const cgroup = `${options.cgroup}/${name}`
  await createCgroup(cgroup, SHARES)
  await createCgroup(`${cgroup}/system`, SYSTEM_SHARES)
  const space = await NodeSpace.create(cgroup)
  await mountNode(space, directory, cgroup)
  await connect(space, number, options.nodes)
  const ctr = await startContainerd(space, { directory, runtime, pods, images })
  const kubelet = new Kubelet(space, { name, address, directory, plane, programs, runtime })
  await kubelet.start()
  return { name, address, directory, space, kubelet, ctr }
}

/** A port of the data centre's switch, and the routes to everything else. */
async function connect(space: NodeSpace, number: number, nodes: number): Promise<void> {
  const { address, pods } = nodeAddresses(number)
  const port = `node${number}`
  const ip = (...args: string[]) => runProgram('ip', args)
  await ip('link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(space.pid))
  await ip('link', 'set', port, 'master', 'switch', 'up')
  await ip('route', 'add', pods, 'via', address)
  const here = (...args: string[]) => space.run('ip', args)
  await here('link', 'set', 'lo', 'up')
  await here('address', 'add', `${address}/24`, 'dev', 'eth0')
  await here('link', 'set', 'eth0', 'up')
  await here('route', 'add', LAB.service, 'via', LAB.controlPlane)
  for (const range of ['169.254.0.0/16', '168.63.129.16'])
    await here('route', 'add', range, 'via', LAB.metadata)
  for (let other = 1; other <= nodes; other++) {
    const it = nodeAddresses(other)
    if (other !== number) await here('route', 'add', it.pods, 'via', it.address)
  }
  await space.run('sh', ['-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'])
}
