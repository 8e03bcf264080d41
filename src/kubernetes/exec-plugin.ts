import { execFile } from 'node:child_process'
import type { Clock } from '../lib/clock.ts'
import { deadlineIn } from '../lib/deadline.ts'
import type { Secret } from '../lib/secret.ts'
import { bearerToken } from './bearer-token.ts'
import { configError } from './config-error.ts'
import { fields, text, time } from './json-fields.ts'
import { kubernetesError } from './status-error.ts'

/** As long as kubectl's users wait for a plugin that opens a browser; a daemon's has nobody to ask. */
const PLUGIN_TIMEOUT_MS = 30_000
const MAX_OUTPUT_BYTES = 1024 * 1024
/** A credential that ends this soon is not used any more. */
const LEEWAY_MS = 30_000

/** A credential plugin of a kubeconfig (client.authentication.k8s.io, "ExecConfig"). */
export interface ExecPlugin {
  readonly apiVersion: 'client.authentication.k8s.io/v1' | 'client.authentication.k8s.io/v1beta1'
  readonly command: string
  readonly args: readonly string[]
  /** The whole environment of the plugin. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly installHint: string | undefined
  /** `spec.cluster` of the ExecCredential, where `provideClusterInfo` asks for it. */
  readonly cluster: Readonly<Record<string, unknown>> | undefined
}

/** `status` of an ExecCredential. */
export interface ExecCredential {
  readonly token: Secret | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  /** Milliseconds since the epoch; Infinity where the plugin names no end. */
  readonly expiresAt: number
}

/**
 * Runs a plugin when its last credential ends or was refused; all who ask meanwhile wait for the same run, which the
 * end of one of their calls does not stop.
 *
 * @throws (the returned function) MetadatadError `CONFIG_INVALID` for a plugin that is not there or speaks another
 * language, `KUBERNETES_UNAVAILABLE` for one that fails
 */
export function execPlugin(plugin: ExecPlugin, clock: Clock): (renew: boolean) => Promise<ExecCredential> {
  let last: ExecCredential | undefined
  let running: Promise<ExecCredential> | undefined
  return (renew) => {
    if (last && !renew && clock.now() < last.expiresAt - LEEWAY_MS) return Promise.resolve(last)
    running ??= run(plugin, clock)
      .then((credential) => {
        last = credential
        return credential
      })
      .finally(() => {
        running = undefined
      })
    return running
  }
}

async function run(plugin: ExecPlugin, clock: Clock): Promise<ExecCredential> {
  const { apiVersion, command, args, cluster } = plugin
  const spec = { interactive: false, ...(cluster === undefined ? {} : { cluster }) }
  const env = {
    ...plugin.env,
    KUBERNETES_EXEC_INFO: JSON.stringify({ apiVersion, kind: 'ExecCredential', spec }),
  }
  using deadline = deadlineIn(clock, PLUGIN_TIMEOUT_MS)
  const output = await new Promise<string>((resolve, reject) => {
    const options = {
      env,
      signal: deadline.signal,
      killSignal: 'SIGKILL',
      maxBuffer: MAX_OUTPUT_BYTES,
    } as const
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (error) reject(pluginError(plugin, error, stderr))
      else resolve(stdout)
    })
    child.stdin?.end()
  })
  return parseExecCredential(output, plugin)
}

function pluginError(plugin: ExecPlugin, error: Error, stderr: string): Error {
  if ('code' in error && (error.code === 'ENOENT' || error.code === 'EACCES')) {
    const hint = plugin.installHint ? `: ${plugin.installHint.slice(0, 512)}` : ''
    return configError(`credential plugin ${plugin.command} can not be run${hint}`)
  }
  // Not the error itself: its message quotes the whole command line.
  const code = 'code' in error ? String(error.code) : error.name
  const said = stderr.trim().split('\n', 1)[0]!.slice(0, 256)
  const call = { verb: 'run', resource: `credential plugin ${plugin.command}` }
  return kubernetesError('KUBERNETES_UNAVAILABLE', call, `failed (${code}) ${said}`.trimEnd())
}

/**
 * Reads what a plugin printed.
 *
 * @throws MetadatadError `CONFIG_INVALID` if it is no ExecCredential of the wanted version with a token or a certificate
 */
export function parseExecCredential(
  output: string,
  plugin: Pick<ExecPlugin, 'command' | 'apiVersion'>,
): ExecCredential {
  const source = `the output of credential plugin ${plugin.command}`
  let parsed: unknown
  try {
    parsed = JSON.parse(output)
  } catch {
    throw configError(`${source} is no JSON`)
  }
  const credential = fields(parsed)
  if (credential.kind !== 'ExecCredential' || credential.apiVersion !== plugin.apiVersion) {
    throw configError(`${source} is no ExecCredential of ${plugin.apiVersion}`)
  }
  const status = fields(credential.status)
  const token = text(status.token)
  const cert = text(status.clientCertificateData)
  const key = text(status.clientKeyData)
  if ((cert === undefined) !== (key === undefined))
    throw configError(`${source} has half of a certificate and key`)
  if (token === undefined && cert === undefined)
    throw configError(`${source} has neither token nor certificate`)
  const end = status.expirationTimestamp
  const expiresAt = end === undefined || end === null ? Number.POSITIVE_INFINITY : time(end)
  if (expiresAt === undefined) throw configError(`${source} has an expirationTimestamp that is no time`)
  return { token: token === undefined ? undefined : bearerToken(token, source), cert, key, expiresAt }
}
