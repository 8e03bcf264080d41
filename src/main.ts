#!/usr/bin/env node
import { reportCrash } from './cli/report-crash.ts'
import { runCli } from './cli/run-cli.ts'

const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    // Whoever presses Ctrl-C again does not want to wait for an orderly end.
    if (signal === 'SIGINT' && stop.signal.aborted) process.exit(130)
    stop.abort(signal)
  })
}

// Unhandled rejections arrive here too (`--unhandled-rejections=throw`, Node's default).
process.on('uncaughtException', (err, origin) => {
  reportCrash(err, origin, process.stderr)
  process.exit(1)
})

// A reader that went away (`| head`, a log collector's restart) must not end the daemon.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

// No timer of the daemon keeps the process alive, and it may have nothing else while it waits for an API server.
setInterval(() => {}, 0x7fffffff)

const code = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: stop.signal,
})
// Writes to files, pipes and terminals are synchronous on POSIX: nothing is cut off.
process.exit(code)
