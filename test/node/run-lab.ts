import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Task } from './inside.ts'
import { entering } from './lab/entering.ts'

const PROGRAM = fileURLToPath(new URL('inside.ts', import.meta.url))
const NAMESPACES = ['--net', '--mount', '--mount-proc', '--pid', '--fork', '--kill-child=KILL']
const LIMIT_MS = 900_000

/**
 * Lets scenarios happen in namespaces of their own, which prints their table. What was started there is ended, however it goes on.
 *
 * @returns whether every row is as it must be
 * @throws Error if there is no table, or it takes longer than 15 min; the signal's reason
 */
export async function runLab(task: Task, signal: AbortSignal): Promise<boolean> {
  signal.throwIfAborted()
  const inside = ['unshare', ...NAMESPACES, '--', process.execPath, PROGRAM, JSON.stringify(task)]
  const [sh, ...enter] = entering(`${task.place.cgroup}/plane`)
  const child = spawn(sh, [...enter, ...inside], {
    // The channel tells it when this process is gone.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // A terminal's Ctrl-C is for the one who clears up.
    detached: true,
  })
  const exited = once(child, 'exit')
  exited.catch(() => {})
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)])
    const [status] = await once(child, 'exit', { signal: limit }).catch((err: Error) => {
      throw signal.aborted ? signal.reason : new Error(`it takes longer than ${LIMIT_MS} ms`, { cause: err })
    })
    if (status !== 0 && status !== 1) throw new Error(`the lab ended with ${status}`)
    return status === 0
  } finally {
    child.kill('SIGKILL')
    await exited
  }
}
