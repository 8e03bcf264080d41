import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A server in a process of its own. */
export interface ServerProcess extends AsyncDisposable {
  readonly pid: number
  readonly port: number
  /** `performance.now()` of the moment before the process was made. */
  readonly startedAt: number
}

/** How to start a server. */
export interface ServerCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** The port that it was told to listen on. */
  readonly port: number
}

/** Starts the program and does not wait for it to listen. Its output, if any, is shown. */
export function spawnServer(server: ServerCommand, signal: AbortSignal): ServerProcess {
  const startedAt = performance.now()
  const child = spawn(server.command, server.args, {
    env: { ...process.env, ...server.env },
    stdio: ['ignore', 'ignore', 'inherit'],
    signal,
  })
  child.on('error', () => {})
  return {
    pid: child.pid!,
    port: server.port,
    startedAt,
    [Symbol.asyncDispose]: () => end(child),
  }
}

/** Resolves when somebody listens. */
export async function listening(server: ServerProcess, signal: AbortSignal): Promise<void> {
  while (!(await accepts(server.port))) await sleep(20, undefined, { signal })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const done = (accepted: boolean) => {
      socket.destroy()
      resolve(accepted)
    }
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
  })
}
