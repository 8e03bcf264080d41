import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { sleep } from '../lib/sleep.ts'

/** How to keep health files. */
export interface HealthFilesOptions {
  /** Made if it is missing. */
  readonly directory: string
  /** May pods be answered? Looked at every two seconds. Must not throw. */
  readonly ready: () => boolean
  readonly clock: Clock
  readonly log: Log
}

/** The files, being kept. */
export interface HealthFiles {
  /** Removes `ready` at once, and leaves `live` to grow old. Idempotent. */
  stop(): Promise<void>
}

const EVERY_MS = 2_000
/** Before it is ready for the first time: an update waits for it. */
const AT_FIRST_MS = 200

/**
 * Begins to keep two files fresh for exec probes that look at their age: `live` for as long as the event loop turns, `ready`
 * while the daemon is ready, else it is removed. A directory that can't be written is logged and tried again.
 */
export function createHealthFiles(options: HealthFilesOptions): HealthFiles {
  const { directory, clock, log } = options
  const stopping = new AbortController()
  const live = join(directory, 'live')
  const ready = join(directory, 'ready')
  let failing = false
  let wasReady = false

  async function keep(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await refresh()
        failing = false
      } catch (err) {
        if (!failing) log.warn({ err, directory }, 'health files can not be written')
        failing = true
      }
      await sleep(clock, wasReady || failing ? EVERY_MS : AT_FIRST_MS, stopping.signal)
    }
    await rm(ready, { force: true }).catch((err) => log.warn({ err, directory }, 'health file not removed'))
  }

  async function refresh(): Promise<void> {
    await mkdir(directory, { recursive: true })
    const text = `${new Date(clock.now()).toISOString()}\n`
    // An earlier process of this container's pod may have left it.
    if (!options.ready()) await rm(ready, { force: true })
    await writeFile(live, text)
    // Asked again: the daemon may have begun to stop meanwhile.
    if (options.ready() && !stopping.signal.aborted) {
      await writeFile(ready, text)
      wasReady = true
    }
  }

  const kept = keep()
  return {
    stop() {
      stopping.abort()
      return kept
    },
  }
}
