import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createCgroup } from './lab/create-cgroup.ts'

const CLEAR_UP = fileURLToPath(new URL('clear-up.sh', import.meta.url))
/** Hidden inside a node, which has its own. */
const HIDDEN = ['/run/', '/var/lib/', '/var/log/']

/** A processor's worth is 1024. What else the machine does must not starve the lab, nor its nodes what they are served by. */
const [LAB_SHARES, PLANE_SHARES] = [32_768, 4_096]

/** What a lab may use. */
export interface Place {
  readonly directory: string
  /** Its cgroup's name in every hierarchy; `plane` below it is for the process that builds the lab. */
  readonly cgroup: string
}

/** Makes a place for a lab. Everything in it is gone when it is disposed of, and also if this process is killed. */
export async function createPlace(): Promise<Place & AsyncDisposable> {
  const parent = HIDDEN.some((path) => `${tmpdir()}/`.startsWith(path)) ? '/tmp' : tmpdir()
  const directory = await mkdtemp(join(parent, 'metadatad-node-'))
  // Containers' users pass through it.
  await chmod(directory, 0o755)
  const cgroup = `metadatad-node-${randomBytes(3).toString('hex')}`
  const clearUp = spawn('sh', [CLEAR_UP, directory, cgroup], {
    stdio: ['pipe', 'ignore', 'inherit'],
    // Out of reach of a terminal's Ctrl-C.
    detached: true,
  })
  const cleared = once(clearUp, 'exit')
  await createCgroup(cgroup, LAB_SHARES)
  await createCgroup(`${cgroup}/plane`, PLANE_SHARES)
  return {
    directory,
    cgroup,
    async [Symbol.asyncDispose]() {
      clearUp.stdin.end()
      await cleared
    },
  }
}
