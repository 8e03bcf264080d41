import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NetNamespace } from '../support/net-namespace.ts'
import { cgroupMount, createCgroup } from './bed/cgroup.ts'
import type { Place } from './world.ts'

const CLEAR_UP = fileURLToPath(new URL('clear-up.sh', import.meta.url))

/** A place for one world, with the node's namespace in it. Everything made in it is gone when it is disposed of. */
export interface OwnedPlace extends AsyncDisposable {
  readonly place: Place
  readonly node: NetNamespace
  /** For the process that builds the world, and all that it starts. */
  readonly ownCgroup: string
}

/** Makes it. It is cleared up even if this process is killed. */
export async function createPlace(): Promise<OwnedPlace> {
  await using starting = new AsyncDisposableStack()
  const id = `e2e${randomBytes(3).toString('hex')}`
  const directory = await mkdtemp(join(tmpdir(), 'metadatad-e2e-'))
  const cgroup = join(cgroupMount()!, `metadatad-${id}`)
  const clearUp = spawn('sh', [CLEAR_UP, id, directory, cgroup], {
    stdio: ['pipe', 'ignore', 'inherit'],
    // Out of reach of a terminal's Ctrl-C.
    detached: true,
  })
  const cleared = once(clearUp, 'exit')
  starting.defer(async () => {
    clearUp.stdin.end()
    await cleared
  })
  const node = starting.use(await NetNamespace.create(`${id}-node`))
  const ownCgroup = join(cgroup, 'host')
  await createCgroup(ownCgroup)
  const running = starting.move()
  return {
    place: { id, directory, cgroup },
    node,
    ownCgroup,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
