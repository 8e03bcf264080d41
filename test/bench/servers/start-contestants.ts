import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ask } from '../../support/ask.ts'
import type { BenchContext } from '../bench-context.ts'
import { freePort } from '../free-port.ts'
import { startWorld } from '../world/start-world.ts'
import { podAddress, WORLDS } from '../world/world.ts'
import { buildGoServer } from './build-go-server.ts'
import { startBareNode } from './start-bare-node.ts'
import { startDaemonProcess } from './start-daemon.ts'
import { listening, type ServerProcess, spawnServer } from './start-server.ts'

/** One that answers requests for a token. */
export interface Contestant {
  readonly name: string
  readonly server: ServerProcess
  /** Path and query to ask for. */
  readonly target: string
}

/** The daemon with a credential of each of its pods, and servers that give everybody one of its answers. */
export interface Contestants extends AsyncDisposable {
  readonly daemon: ServerProcess
  /** Source addresses to ask from: as many pods. */
  readonly from: readonly string[]
  /** Two ways of asking the same daemon: without and with `scopes`. */
  readonly ours: readonly Contestant[]
  /** The first is the yardstick of the goal. */
  readonly bare: readonly Contestant[]
}

const TOKEN = '/computeMetadata/v1/instance/service-accounts/default/token'
const SCOPED = `${TOKEN}?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fdevstorage.read_only`

/** Starts all of them, each in a process of its own. */
export async function startContestants({ signal, say }: BenchContext): Promise<Contestants> {
  await using starting = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'metadatad-bench-'))
  starting.defer(() => rm(directory, { recursive: true, force: true }))
  const world = starting.use(await startWorld(WORLDS.small, 0, signal))
  const daemon = starting.use(await startDaemonProcess(world, [], signal))
  await listening(daemon, signal)
  const from = Array.from({ length: 8 }, (_, i) => podAddress(i))
  const body = await warmedUp(daemon, from)

  const bareNode = starting.use(await startBareNode(body, signal))
  await listening(bareNode, signal)
  const bare: Contestant[] = [{ name: 'bare node:http', server: bareNode, target: TOKEN }]
  const go = await buildGoServer(directory)
  if (go === undefined) say('no Go here: its server is left out')
  else {
    const port = await freePort()
    // One core, as Node has one: with more, Go's scheduler spends CPU time on looking for work.
    const env = { BODY: body, GOMAXPROCS: '1' }
    const server = starting.use(spawnServer({ command: go.program, args: [String(port)], env, port }, signal))
    await listening(server, signal)
    bare.push({ name: `bare net/http (${go.version})`, server, target: TOKEN })
  }

  const running = starting.move()
  return {
    daemon,
    from,
    ours: [
      { name: 'metadatad', server: daemon, target: TOKEN },
      { name: 'metadatad, scopes=', server: daemon, target: SCOPED },
    ],
    bare,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** Has every pod's credentials obtained. Returns the body of an answer. */
async function warmedUp(daemon: ServerProcess, from: readonly string[]): Promise<string> {
  let body = ''
  for (const ip of from) {
    for (const target of [SCOPED, TOKEN]) {
      const answer = await ask(`127.0.0.1:${daemon.port}`, target, { ip })
      if (answer.status !== 200) throw new Error(`no token: ${answer.status} ${answer.body}`)
      body = answer.body
    }
  }
  return body
}
