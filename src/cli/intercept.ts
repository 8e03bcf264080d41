import { isIPv6 } from 'node:net'
import { createInterception } from '../intercept/create-interception.ts'
import type { Finding } from '../intercept/finding.ts'
import type { Interception } from '../intercept/interception.ts'
import { spawnProgram } from '../intercept/spawn-program.ts'
import { stateFindings } from '../intercept/state-findings.ts'
import { systemClock } from '../lib/clock.ts'
import { deadlineIn } from '../lib/deadline.ts'
import { silentLog } from '../lib/log.ts'
import type { CliIo } from './cli-io.ts'
import { configFrom } from './config-options.ts'
import { probeFindings } from './probe-findings.ts'

const ASK_MS = 2_000

/** What `metadatad intercept` does with the interception that the configuration asks for. */
export type InterceptAction = 'install' | 'check' | 'remove' | 'print'

type Run = (
  interception: Interception,
  context: { readonly io: CliIo; readonly json: boolean; readonly adminUrl: string },
) => Promise<number>

/**
 * `metadatad intercept install|check|remove|print`, in the network namespace that it runs in.
 *
 * @returns the exit code: 0 done, 1 `check` found something amiss, 2 the configuration asks for no interception
 * @throws ConfigError; MetadatadError `INTERCEPT_…`
 */
export async function intercept(
  action: InterceptAction,
  options: Readonly<Record<string, unknown>>,
  io: CliIo,
): Promise<number> {
  const config = await configFrom(options, io)
  const { mode } = config.intercept
  if (mode === 'none') {
    io.stderr.write('metadatad: intercept.mode is none: set it to redirect or bind\n')
    return 2
  }
  const interception = createInterception({
    mode,
    config: config.intercept,
    containerCredentials: config.listen.containerCredentials.map(({ host }) => host),
    run: spawnProgram,
    clock: systemClock,
    log: silentLog,
  })
  const { host, port } = config.listen.admin
  const adminUrl = `http://${isIPv6(host) ? `[${host}]` : host}:${port}`
  return await ACTIONS[action](interception, { io, json: options.output === 'json', adminUrl })
}

const install: Run = async (interception, { io }) => {
  const before = await interception.read(io.signal)
  const state = await interception.install({}, io.signal)
  const done = before.drift.map(({ message }) => `mended: ${message}`)
  const lines = done.length > 0 ? done : ['everything was in place already']
  io.stdout.write(
    `${[...lines, `installed: pods reach the daemon or nothing (generation ${state.generation})`].join('\n')}\n`,
  )
  return 0
}

const check: Run = async (interception, { io, json, adminUrl }) => {
  const state = await interception.read(io.signal)
  // Only now: on a slow node nft and ip alone may take longer than a daemon is given.
  using deadline = deadlineIn(systemClock, ASK_MS, io.signal)
  const findings: readonly Finding[] = [
    ...stateFindings(interception, state),
    ...(await probeFindings(adminUrl, deadline.signal)),
  ]
  const ok = findings.every((finding) => finding.ok !== false)
  io.stdout.write(json ? `${JSON.stringify({ ok, findings }, undefined, 2)}\n` : findings.map(line).join(''))
  return ok ? 0 : 1
}

const remove: Run = async (interception, { io }) => {
  await interception.remove(io.signal)
  io.stdout.write("removed: pods reach the node's own metadata server again\n")
  return 0
}

const print: Run = async (interception, { io }) => {
  io.stdout.write(interception.print())
  return 0
}

const ACTIONS: Readonly<Record<InterceptAction, Run>> = { install, check, remove, print }

function line({ ok, what, advice }: Finding): string {
  const state = ok === undefined ? '?     ' : ok ? 'ok    ' : 'not ok'
  return `${state}  ${what}${advice === undefined ? '' : `\n        ${advice}`}\n`
}
