import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../free-port.ts'
import type { Calls, WorldQuestion, WorldReady, WorldSize } from './world.ts'

const PROGRAM = fileURLToPath(new URL('world-process.ts', import.meta.url))

/** A cluster and a cloud in a process of their own, and the configuration of a daemon in it. */
export interface World extends AsyncDisposable {
  readonly size: WorldSize
  readonly configFile: string
  /** Where the daemon is to answer pods. */
  readonly metadataPort: number
  readonly adminPort: number
  /** The token that EKS mounts into the node's pod with this number. */
  containerToken(pod: number): Promise<string>
  forgetCalls(): Promise<void>
  calls(): Promise<Calls>
  /** Resolves when the call of Google has been received so often. */
  received(call: string, count: number): Promise<void>
}

/** Starts and populates it. `cloudMs` is added to every call of the cloud. */
export async function startWorld(size: WorldSize, cloudMs: number, signal: AbortSignal): Promise<World> {
  await using starting = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'metadatad-bench-'))
  starting.defer(() => rm(directory, { recursive: true, force: true }))
  const metadataPort = await freePort()
  const adminPort = await freePort()
  const listen = { metadata: `127.0.0.1:${metadataPort}`, admin: `127.0.0.1:${adminPort}` }
  const child = fork(PROGRAM, [JSON.stringify({ size, cloudMs, directory, listen })])
  const ended = new AbortController()
  child.once('exit', () => ended.abort(new Error('the process of cluster and cloud has ended')))
  starting.defer(async () => {
    if (ended.signal.aborted) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const either = AbortSignal.any([signal, ended.signal])

  async function next<T>(): Promise<T> {
    const [message] = (await once(child, 'message', { signal: either })) as [{ value: T }]
    return message.value
  }
  async function ask<T>(question: WorldQuestion): Promise<T> {
    const answer = next<T>()
    child.send(question)
    return answer
  }

  const { configFile } = await next<WorldReady>()
  const running = starting.move()
  return {
    size,
    configFile,
    metadataPort,
    adminPort,
    containerToken: (pod) => ask({ ask: 'container token', pod }),
    forgetCalls: () => ask({ ask: 'forget calls' }),
    calls: () => ask({ ask: 'calls' }),
    received: (call, count) => ask({ ask: 'received', call, count }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
