import { systemClock } from '../lib/clock.ts'
import { createLog } from '../lib/log.ts'
import type { CliIo } from './cli-io.ts'
import { configFrom } from './config-options.ts'
import { prettySink } from './pretty-sink.ts'
import { VERSION } from './version.ts'

/**
 * `metadatad serve`: the daemon, until it is asked to stop.
 *
 * @returns the exit code
 * @throws ConfigError; MetadatadError why the daemon can't start
 */
export async function serve(options: Readonly<Record<string, unknown>>, io: CliIo): Promise<number> {
  const config = await configFrom(options, io)
  const log = createLog(config.log.level, config.log.format === 'pretty' ? prettySink(io.stdout) : io.stdout)
  const { startDaemon } = await import('../daemon.ts')
  const stopped = aborted(io.signal)
  const starting = startDaemon(config, { clock: systemClock, log, env: io.env, version: VERSION })
  // Asked to stop while it still starts: the process ends, and everything half open with it.
  const daemon = await Promise.race([starting, stopped])
  if (daemon === undefined) {
    starting.catch(() => {})
    return 0
  }
  await stopped
  log.info({ signal: String(io.signal.reason) }, 'stopping')
  await daemon.stop()
  return 0
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}
