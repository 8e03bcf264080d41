import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Load, LoadResult } from './load.ts'

const PROGRAM = fileURLToPath(new URL('load-process.ts', import.meta.url))

/** Runs the load generator in a process of its own, so that its work is not counted as the server's. */
export async function runLoad(load: Load, signal: AbortSignal): Promise<LoadResult> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, JSON.stringify(load)], {
    signal,
    timeout: load.warmUpMs + load.ms + 60_000,
  })
  return JSON.parse(stdout)
}
