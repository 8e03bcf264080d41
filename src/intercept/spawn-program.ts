import { spawn } from 'node:child_process'
import type { ProgramResult, RunProgram } from './run-program.ts'

/** The rules of a node with many sets are a few hundred KiB; what is longer is not ours to read. */
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024

/** Runs a program found on PATH. Output beyond 4 MiB, and the signal, end it with SIGKILL. */
export const spawnProgram: RunProgram = (program, args, { input = '', signal } = {}) =>
  new Promise<ProgramResult>((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const child = spawn(program, args, { stdio: 'pipe' })
    const stop = (reason: unknown) => {
      child.kill('SIGKILL')
      done(() => reject(reason))
    }
    const abort = () => stop(signal?.reason)
    const done = (settle: () => void) => {
      signal?.removeEventListener('abort', abort)
      settle()
    }
    signal?.addEventListener('abort', abort, { once: true })
    child.on('error', (err) => done(() => reject(err)))
    // Out of file descriptors, a child has no streams; its error comes later, and unheard it would end the daemon.
    if (child.stdin === undefined) return

    let bytes = 0
    const collect = (stream: NodeJS.ReadableStream) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > MAX_OUTPUT_BYTES)
          stop(new Error(`${program} printed more than ${MAX_OUTPUT_BYTES} bytes`))
        else chunks.push(chunk)
      })
      return () => Buffer.concat(chunks).toString('utf8')
    }
    const stdout = collect(child.stdout)
    const stderr = collect(child.stderr)
    // A program that ends without reading its input says why by its status.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    child.on('close', (status) =>
      done(() => resolve({ status: status ?? undefined, stdout: stdout(), stderr: stderr() })),
    )
  })
