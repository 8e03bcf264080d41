import type { LogSink } from '../lib/log.ts'

/** What a command may know of the process it runs in; `main.ts` makes the real one, tests make their own. */
export interface CliIo {
  readonly stdout: LogSink
  readonly stderr: LogSink
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborted when the program is asked to stop (SIGTERM, SIGINT); the reason is the signal's name. */
  readonly signal: AbortSignal
}
