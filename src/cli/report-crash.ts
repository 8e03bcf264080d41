import { createLog, type LogSink } from '../lib/log.ts'

/** Logs, as the daemon would, what nothing caught; the process must end afterwards, for its state is unknown. */
export function reportCrash(err: unknown, origin: string, sink: LogSink): void {
  createLog('error', sink).error({ err, origin }, 'uncaught failure')
}
