import { pino } from 'pino'

/** Fields of a log line. Values are JSON-serialisable; errors go under `err`, tokens only as a `Secret`. */
export type LogFields = Readonly<Record<string, unknown>>

/**
 * Structured log. Messages are constant, lower case and without a period; everything variable is a field.
 */
export interface Log {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

/** The levels of `log.level`, least important first. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Where a log's lines go: one complete line, newline included, a call. */
export interface LogSink {
  write(line: string): void
}

/**
 * A log that writes one JSON object a line: `time` (RFC 3339), `level` (name), `msg` and the fields; an error under
 * `err` with its code, message, stack and causes.
 */
export function createLog(level: LogLevel, sink: LogSink): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    sink,
  )
}

/** A log that drops everything. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
