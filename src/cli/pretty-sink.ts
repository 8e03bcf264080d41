import type { LogSink } from '../lib/log.ts'
import { withoutControls } from '../lib/without-controls.ts'

/** Turns the log's JSON lines into `time LEVEL message key=value …` for people; an error's stack goes on lines of its own. */
export function prettySink(sink: LogSink): LogSink {
  return { write: (line) => sink.write(pretty(line)) }
}

function pretty(line: string): string {
  const { time, level, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>
  const parts = [String(time).slice(11, 23), String(level).toUpperCase().padEnd(5), printable(msg)]
  for (const [name, value] of Object.entries(fields)) parts.push(`${name}=${printable(value)}`)
  const { stack, message } = (err ?? {}) as { stack?: unknown; message?: unknown }
  const why = stack ?? message
  if (why !== undefined) parts.push(`\n  ${String(why).split('\n').map(withoutControls).join('\n  ')}`)
  return `${parts.join(' ')}\n`
}

/** Texts bare where nothing in them could be taken for something else; no control character reaches the terminal. */
function printable(value: unknown): string {
  const text =
    typeof value === 'string' && /^[\x21\x23-\x7e][\x20\x21\x23-\x7e]*$/.test(value)
      ? value
      : JSON.stringify(value)
  return withoutControls(text ?? 'undefined')
}
