import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** The program, as an operator runs it. */
export const METADATAD = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

const READY_MS = 30_000
const END_MS = 60_000

/** A daemon in a process of its own, in this process's namespaces. */
export interface DaemonProcess extends AsyncDisposable {
  readonly pid: number
  /** Resolves when it says so in its health directory. */
  ready(): Promise<void>
  signal(signal: 'SIGTERM' | 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void
  /** Resolves when it is gone. @throws Error if it takes longer than its drain and some more */
  ended(): Promise<void>
  /** What it has logged so far. */
  logged(): string
}

/** Starts `metadatad serve` with these arguments; its health files and its log are kept in the directory. */
export function startDaemonProcess(args: readonly string[], directory: string): DaemonProcess {
  const logFile = join(directory, 'log')
  const log = openSync(logFile, 'w')
  const child = spawn(process.execPath, [METADATAD, 'serve', ...args, '--listen-health', directory], {
    stdio: ['ignore', log, log],
    // Twenty daemons need not each find out anew what the same files mean.
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', NODE_COMPILE_CACHE: join(directory, '..', 'compiled') },
  })
  closeSync(log)
  const exited = once(child, 'exit')
  const gone = () => child.exitCode !== null || child.signalCode !== null
  const logged = () => readFileSync(logFile, 'utf8')
  return {
    pid: child.pid!,
    logged,
    async ready() {
      for (let waited = 0; !existsSync(join(directory, 'ready')); waited += 25) {
        if (gone() || waited > READY_MS) throw new Error(`the daemon is not ready: ${logged().slice(-2_000)}`)
        await setTimeout(25)
      }
    },
    signal(signal) {
      child.kill(signal)
    },
    async ended() {
      const late = new AbortController()
      const never = setTimeout(END_MS, undefined, { signal: late.signal }).then(() => {
        throw new Error(`the daemon does not end: ${logged().slice(-2_000)}`)
      })
      await Promise.race([exited, never]).finally(() => late.abort())
      never.catch(() => {})
    },
    async [Symbol.asyncDispose]() {
      if (!gone()) child.kill('SIGKILL')
      await exited
    },
  }
}
