import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { World } from '../world.ts'
import { buildFullWatch } from './build-full-watch.ts'

/** A client that watches everything, with its lists complete. */
export interface FullWatch extends AsyncDisposable {
  readonly pid: number
  readonly seconds: number
  readonly requests: number
  readonly pods: number
  readonly serviceAccounts: number
}

/**
 * @param url of a way to the API server
 * @param lists client-go asks for gzip unless it is told not to; watches are never compressed
 */
export async function startFullWatch(
  world: World,
  url: string,
  lists: 'compressed' | 'uncompressed',
): Promise<FullWatch> {
  const program = await buildFullWatch(world.programs)
  const file = join(world.directory, 'full-watch.kubeconfig')
  const { clusters, ...rest } = JSON.parse(await world.plane.kubeconfig('full-watch', ['system:masters']))
  clusters[0].cluster.server = url
  await writeFile(file, JSON.stringify({ ...rest, clusters }), { mode: 0o600 })
  const startedAt = performance.now()
  const child = spawn(program, [file, lists], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  exited.catch(() => {})
  const line = once(createInterface({ input: child.stdout }), 'line')
  const said = await Promise.race([
    line,
    exited.then(([code]) => Promise.reject(new Error(`full-watch ended: ${code}`))),
  ])
  return {
    ...JSON.parse(String(said[0])),
    pid: child.pid!,
    seconds: (performance.now() - startedAt) / 1_000,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
