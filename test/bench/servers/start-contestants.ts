import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ask } from '../../support/ask.ts'
import { eventually } from '../../support/eventually.ts'
import type { BenchContext } from '../bench-context.ts'
import { freePort } from '../free-port.ts'
import { startWorld } from '../world/start-world.ts'
import { WORLDS } from '../world/world.ts'
import { buildGoServer } from './build-go-server.ts'
import { startBareNode } from './start-bare-node.ts'
import { startDaemonProcess } from './start-daemon.ts'
import { listening, type ServerProcess, spawnServer } from './start-server.ts'
import { type WarmPath, warmPaths } from './warm-paths.ts'

/** One that answers requests for a credential. */
export interface Contestant extends WarmPath {
  readonly server: ServerProcess
}

/** The daemon with the credentials of its pods, and servers that give everybody one of its answers. */
export interface Contestants extends AsyncDisposable {
  readonly daemon: ServerProcess
  /** Several ways of asking the same daemon. */
  readonly ours: readonly Contestant[]
  /** The first is the yardstick of the goals. */
  readonly bare: readonly Contestant[]
}

/** Starts all of them, each in a process of its own. */
export async function startContestants({ signal, say }: BenchContext): Promise<Contestants> {
  await using starting = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'metadatad-bench-'))
  starting.defer(() => rm(directory, { recursive: true, force: true }))
  const world = starting.use(await startWorld(WORLDS.threeClouds, 0, signal))
  const containerPort = await freePort()
  const options = ['--listen-container-credentials', `127.0.0.1:${containerPort}`]
  const daemon = starting.use(await startDaemonProcess(world, options, signal))
  await listening(daemon, signal)
  const containers = { ...daemon, port: containerPort }
  await listening(containers, signal)
  const ours: Contestant[] = []
  for (const path of await warmPaths(world, daemon.port))
    ours.push({ ...path, server: path.at === 'container credentials' ? containers : daemon })
  const [yardstick] = ours
  const [body = ''] = await Promise.all(ours.map(warmedUp))

  const bareNode = starting.use(await startBareNode(body, signal))
  await listening(bareNode, signal)
  const bare: Contestant[] = [{ ...yardstick!, goal: undefined, name: 'bare node:http', server: bareNode }]
  const go = await buildGoServer(directory)
  if (go === undefined) say('no Go here: its server is left out')
  else {
    const port = await freePort()
    // One core, as Node has one: with more, Go's scheduler spends CPU time on looking for work.
    const env = { BODY: body, GOMAXPROCS: '1' }
    const server = starting.use(spawnServer({ command: go.program, args: [String(port)], env, port }, signal))
    await listening(server, signal)
    bare.push({ ...yardstick!, goal: undefined, name: `bare net/http (${go.version})`, server })
  }

  const running = starting.move()
  return { daemon, ours, bare, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/** Has every pod's credential obtained. Returns the body of an answer. */
async function warmedUp({ name, server, from }: Contestant): Promise<string> {
  let last = ''
  for (const { address: ip, target, headers } of from) {
    const { status, body } = await eventually(
      () => ask(`127.0.0.1:${server.port}`, target, { ip, headers }),
      ({ status }) => status !== 503,
    )
    if (status !== 200) throw new Error(`${name}: ${status} ${body}`)
    last = body
  }
  return last
}
