import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { InterceptConfig } from '../../src/config/config.ts'
import type { Interception } from '../../src/intercept/interception.ts'
import { METADATA_ADDRESSES } from '../../src/lib/metadata-addresses.ts'
import { eventually } from '../support/eventually.ts'
import { NetNamespace } from '../support/net-namespace.ts'
import type { Dialled, Served } from './net-tool.ts'
import { onNode } from './on-node.ts'

const NET_TOOL = fileURLToPath(new URL('net-tool.ts', import.meta.url))
/** Long enough for one retransmitted SYN, so that what is dropped by chance is not taken for a rule. */
const NO_ANSWER_MS = 1_500
/** Where an answer is expected, it may take as long as a starved machine does. */
export const ANSWER_MS = 20_000

/** Addresses of the pod; it is routed by the node, as routed CNIs do. */
export const POD = { v4: '10.9.0.2', v6: 'fd09::2' }
/** Another pod's, routed to an interface of its own. */
export const NEIGHBOUR = { v4: '10.9.0.3' }

/**
 * A node that routes for a pod, and a cloud behind its uplink that owns every metadata address, answers at several ports of
 * each and counts what reaches it from pods.
 */
export class Bed implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack
  readonly node: NetNamespace
  readonly pod: NetNamespace
  readonly cloud: NetNamespace

  private constructor(
    stack: AsyncDisposableStack,
    node: NetNamespace,
    pod: NetNamespace,
    cloud: NetNamespace,
  ) {
    this.#stack = stack
    this.node = node
    this.pod = pod
    this.cloud = cloud
  }

  static async create(): Promise<Bed> {
    const stack = new AsyncDisposableStack()
    try {
      const [node, pod, cloud] = [
        stack.use(await NetNamespace.create('node')),
        stack.use(await NetNamespace.create('pod')),
        stack.use(await NetNamespace.create('cloud')),
      ]
      const bed = new Bed(stack, node, pod, cloud)
      await bed.#wire()
      return bed
    } catch (err) {
      await stack.disposeAsync()
      throw err
    }
  }

  async #wire(): Promise<void> {
    const { node, pod, cloud } = this
    await node.ip('link', 'add', 'pod0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pod.name)
    await node.ip('link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', cloud.name)
    await node.ip('link', 'add', 'pod1', 'type', 'veth', 'peer', 'name', 'pod1-peer')
    const plugs = [
      [node, 'pod0', '169.254.1.1/32', 'fd09::1/128'],
      [node, 'up0', '10.8.0.1/24', 'fd08::1/64'],
      [pod, 'eth0', `${POD.v4}/32`, `${POD.v6}/128`],
      [cloud, 'eth0', '10.8.0.254/24', 'fd08::254/64'],
    ] as const
    for (const [namespace, link, v4, v6] of plugs) {
      await namespace.ip('address', 'add', v4, 'dev', link)
      await namespace.ip('address', 'add', v6, 'dev', link, 'nodad')
      await namespace.ip('link', 'set', link, 'up')
    }
    for (const link of ['pod1', 'pod1-peer']) await node.ip('link', 'set', link, 'up')
    // Strict reverse-path filtering at the uplink looks up the very routes that the second lock changes.
    await node.must(
      'sh',
      '-c',
      'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding; echo 1 >/proc/sys/net/ipv4/conf/up0/rp_filter',
    )
    const routes = [
      [node, `${POD.v4}/32`, 'dev', 'pod0'],
      [node, `${NEIGHBOUR.v4}/32`, 'dev', 'pod1'],
      [node, `${POD.v6}/128`, 'dev', 'pod0'],
      [node, 'default', 'via', '10.8.0.254'],
      [node, 'default', 'via', 'fd08::254'],
      [pod, '169.254.1.1/32', 'dev', 'eth0'],
      [pod, 'default', 'via', '169.254.1.1', 'dev', 'eth0'],
      [pod, 'fd09::1/128', 'dev', 'eth0'],
      [pod, 'default', 'via', 'fd09::1', 'dev', 'eth0'],
      [cloud, '10.9.0.0/24', 'via', '10.8.0.1'],
      [cloud, 'fd09::/64', 'via', 'fd08::1'],
    ] as const
    for (const [namespace, ...route] of routes) await namespace.ip('route', 'add', ...route)

    const counters: string[] = []
    const served: Served[] = []
    for (const { address, family } of METADATA_ADDRESSES) {
      await cloud.ip(
        'address',
        'add',
        `${address}/${family === 4 ? 32 : 128}`,
        'dev',
        'lo',
        ...(family === 6 ? ['nodad'] : []),
      )
      counters.push(
        `${family === 4 ? 'ip saddr != 10.8.0.1 ip' : 'ip6 saddr != fd08::1 ip6'} daddr ${address} counter`,
      )
      for (const port of [53, 80, 8080]) served.push({ protocol: 'tcp', host: address, port, says: 'cloud' })
      for (const port of [53, 123, 5353]) served.push({ protocol: 'udp', host: address, port, says: 'cloud' })
    }
    const rules = `table inet cloud { chain in { type filter hook prerouting priority -400; ${counters.join('; ')}\n }\n }\n`
    const loaded = await cloud.run('nft', ['-f', '-'], { input: rules })
    if (loaded.status !== 0) throw new Error(loaded.stderr)
    await this.serve(cloud, served)
  }

  /** Starts something that answers; it ends with the bed. */
  async serve(namespace: NetNamespace, served: readonly Served[]): Promise<ChildProcess> {
    const child = namespace.spawn(process.execPath, [NET_TOOL, 'serve', JSON.stringify(served)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout!, 'data')
    return child
  }

  /** What each attempt came to: the answer, `timeout`, or an error's code. They are made at the same time. */
  async dialAll(
    namespace: NetNamespace,
    dials: readonly Omit<Dialled, 'timeoutMs'>[],
    timeoutMs = NO_ANSWER_MS,
  ): Promise<string[]> {
    const argument = JSON.stringify(dials.map((dialled) => ({ ...dialled, timeoutMs })))
    return JSON.parse(await namespace.must(process.execPath, NET_TOOL, 'dial', argument))
  }

  async dial(
    namespace: NetNamespace,
    dialled: Omit<Dialled, 'timeoutMs'>,
    timeoutMs?: number,
  ): Promise<string> {
    return (await this.dialAll(namespace, [dialled], timeoutMs))[0]!
  }

  /** TCP, from the pod. */
  podDials(host: string, port = 80): Promise<string> {
    return this.dial(this.pod, { protocol: 'tcp', host, port })
  }

  /** The same, but an answer is expected, however long it takes. */
  podReaches(host: string): Promise<string> {
    return this.dial(this.pod, { protocol: 'tcp', host, port: 80 }, ANSWER_MS)
  }

  /** Packets to metadata addresses that arrived at the cloud, and were not the node's own. */
  async cloudPackets(): Promise<number> {
    const listed = await this.cloud.must('nft', 'list', 'table', 'inet', 'cloud')
    return [...listed.matchAll(/packets (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0)
  }

  /** The same, once connections that have been answered send nothing more: their last packet comes after the cloud's last. */
  async settledPackets(): Promise<number> {
    await eventually(
      () => this.cloud.must('cat', '/proc/net/tcp', '/proc/net/tcp6'),
      // The fourth column is the state: listening, or ended by the cloud and waited out (include/net/tcp_states.h of Linux).
      (listed) =>
        [...listed.matchAll(/^ *\d+: \S+ \S+ (\S+)/gm)].every(([, state]) => /^0[A6]$/.test(state!)),
    )
    return await this.cloudPackets()
  }

  /** The interception of the node. */
  interception(config: Partial<InterceptConfig> = {}): Interception {
    return onNode(this.node, config)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

/** Renews as the daemon does, for as long as something takes. */
export async function whileServed<T>(renew: () => Promise<unknown>, act: () => Promise<T>): Promise<T> {
  const ended = new AbortController()
  await renew()
  const renewing = (async () => {
    while (!ended.signal.aborted) {
      await setTimeout(300, undefined, { signal: ended.signal }).catch(() => {})
      await renew()
    }
  })()
  try {
    return await act()
  } finally {
    ended.abort()
    await renewing
  }
}
