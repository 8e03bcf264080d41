import assert from 'node:assert/strict'
import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NetNamespace, Ran } from '../../support/net-namespace.ts'
import { BED } from './addresses.ts'
import { createCgroup } from './cgroup.ts'
import { run } from './run.ts'

/** What a pod of the test bed is. */
export interface PodSpec {
  readonly name: string
  /** `routed`: an interface and a host route of its own, as Calico; `bridged`: a port of the bridge cni0. */
  readonly wiring: 'routed' | 'bridged'
  readonly ipv4: string
  readonly ipv6: string
  /** In the cluster. */
  readonly uid: string
  /** Of its Google service account. */
  readonly email: string
  readonly roleArn: string
  /** Of its Azure application. */
  readonly clientId: string
}

/** Starts a program as its arguments say, inside a cgroup: `sh -c ENTER CGROUP PROGRAM ARG…`. */
const ENTER = 'echo $$ > "$0/cgroup.procs" && exec "$@"'

/** A pod: a network namespace, the kubelet's cgroups, a pause process, and what is run in it. */
export class BedPod {
  readonly spec: PodSpec
  readonly namespace: NetNamespace
  readonly #container: string

  private constructor(spec: PodSpec, namespace: NetNamespace, container: string) {
    this.spec = spec
    this.namespace = namespace
    this.#container = container
  }

  /** @param cgroupRoot below which the kubelet's `kubepods.slice` is */
  static async start(spec: PodSpec, namespace: NetNamespace, cgroupRoot: string): Promise<BedPod> {
    const slice = `kubepods-besteffort-pod${spec.uid.replaceAll('-', '_')}.slice`
    const directory = join(cgroupRoot, 'kubepods.slice', 'kubepods-besteffort.slice', slice)
    const scope = () => join(directory, `cri-containerd-${randomBytes(32).toString('hex')}.scope`)
    const [sandbox, container] = [scope(), scope()]
    await createCgroup(sandbox)
    await createCgroup(container)
    await (spec.wiring === 'routed' ? route(spec, namespace) : bridge(spec, namespace))
    const pause = namespace.spawn('sh', ['-c', ENTER, sandbox, 'sleep', 'infinity'])
    await once(pause, 'spawn')
    return new BedPod(spec, namespace, container)
  }

  /** Runs a program in a container of the pod to its end, whatever its status. */
  run(
    program: string,
    args: readonly string[],
    options?: { readonly input?: string; readonly timeoutMs?: number; readonly env?: NodeJS.ProcessEnv },
  ): Promise<Ran> {
    return this.namespace.run('sh', ['-c', ENTER, this.#container, program, ...args], options)
  }

  /** Starts a program in a container of the pod. */
  spawn(program: string, args: readonly string[], options?: SpawnOptions): ChildProcess {
    return this.namespace.spawn('sh', ['-c', ENTER, this.#container, program, ...args], options)
  }
}

async function route({ name, ipv4, ipv6 }: PodSpec, namespace: NetNamespace): Promise<void> {
  const host = `cali-${name}`
  const { routedGateway: gateway } = BED
  await connect(host, namespace)
  await writeFile(`/proc/sys/net/ipv4/conf/${host}/proxy_arp`, '1')
  // Else the kernel takes up to 0.8 s for each answer.
  await writeFile(`/proc/sys/net/ipv4/neigh/${host}/proxy_delay`, '0')
  await run('ip', 'addr', 'add', `${gateway.ipv6}/64`, 'dev', host, 'nodad')
  await run('ip', 'route', 'add', `${ipv4}/32`, 'dev', host)
  await run('ip', '-6', 'route', 'add', `${ipv6}/128`, 'dev', host)
  await namespace.ip('addr', 'add', `${ipv4}/32`, 'dev', 'eth0')
  await namespace.ip('addr', 'add', `${ipv6}/128`, 'dev', 'eth0', 'nodad')
  await namespace.ip('route', 'add', gateway.ipv4, 'dev', 'eth0', 'scope', 'link')
  await namespace.ip('route', 'add', 'default', 'via', gateway.ipv4, 'dev', 'eth0')
  await namespace.ip('-6', 'route', 'add', 'default', 'via', gateway.ipv6, 'dev', 'eth0')
}

async function bridge({ name, ipv4, ipv6 }: PodSpec, namespace: NetNamespace): Promise<void> {
  const host = `veth-${name}`
  await connect(host, namespace)
  await run('ip', 'link', 'set', host, 'master', 'cni0')
  await namespace.ip('addr', 'add', `${ipv4}/24`, 'dev', 'eth0')
  await namespace.ip('addr', 'add', `${ipv6}/64`, 'dev', 'eth0', 'nodad')
  await namespace.ip('route', 'add', 'default', 'via', BED.bridgeGateway.ipv4)
  await namespace.ip('-6', 'route', 'add', 'default', 'via', BED.bridgeGateway.ipv6)
}

async function connect(host: string, namespace: NetNamespace): Promise<void> {
  // A link-local address that is still being checked can't ask for its neighbour, and up to 2 s of packets are lost.
  const noDad = 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad'
  assert.equal((await namespace.run('sh', ['-c', noDad])).status, 0)
  await run('ip', 'link', 'add', host, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace.name)
  await run('ip', 'link', 'set', host, 'up')
  await namespace.ip('link', 'set', 'eth0', 'up')
}
