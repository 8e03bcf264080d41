import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { World } from '../world.ts'

const run = promisify(execFile)
const LIMIT_MS = 90_000

/** What `kubectl describe pod` prints of the pods of a namespace; undefined where there is no kubectl. */
export async function describePods(
  { plane, directory }: World,
  namespace: string,
): Promise<string | undefined> {
  const kubeconfig = join(directory, 'kubectl.config')
  await writeFile(kubeconfig, await plane.kubeconfig('kubernetes-admin', ['system:masters']), { mode: 0o600 })
  const args = ['--kubeconfig', kubeconfig, '--cache-dir', join(directory, 'kubectl'), '-n', namespace]
  try {
    const { stdout } = await run('kubectl', [...args, 'describe', 'pod'], { timeout: LIMIT_MS })
    return stdout
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined
    throw error
  }
}
