import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import type { Secret } from '../lib/secret.ts'
import { bearerToken } from './bearer-token.ts'
import { configError } from './config-error.ts'
import type { ExecPlugin } from './exec-plugin.ts'
import { elements, fields, text } from './json-fields.ts'

/** PEM text, or the absolute path of a file that holds it. */
export type Material = { readonly data: string } | { readonly file: string }

/** One context of a kubeconfig, with everything that the daemon uses of it. */
export interface Kubeconfig {
  readonly server: string
  readonly servername: string | undefined
  readonly insecure: boolean
  readonly ca: Material | undefined
  readonly cert: Material | undefined
  readonly key: Material | undefined
  readonly token: Secret | undefined
  /** Absolute path; wins over `token`. */
  readonly tokenFile: string | undefined
  readonly exec: ExecPlugin | undefined
}

/** How to read a kubeconfig. */
export interface KubeconfigOptions {
  /** Where the text is from: relative paths start at its directory, errors name it. */
  readonly path: string
  /** `current-context` unless named. */
  readonly context: string | undefined
  /** What credential plugins inherit. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** What would make the daemon somebody else, or take another way, if it were passed over. */
const REFUSED_USER_KEYS = [
  'username',
  'password',
  'as',
  'as-uid',
  'as-groups',
  'as-user-extra',
  'auth-provider',
] as const

/**
 * One context of a kubeconfig (v1 Config of client-go).
 *
 * @throws MetadatadError `CONFIG_INVALID` naming the file and the key
 */
export function parseKubeconfig(yaml: string, options: KubeconfigOptions): Kubeconfig {
  const { path, env } = options
  const fail = (message: string): never => {
    throw configError(`kubeconfig ${path}: ${message}`)
  }
  const document = fields(parseYaml(yaml, fail))
  const contextName = options.context ?? text(document['current-context']) ?? fail('has no current-context')
  const context = entry(document.contexts, contextName, 'context') ?? fail(`has no context "${contextName}"`)
  const clusterName = text(context.cluster) ?? fail(`context "${contextName}" names no cluster`)
  const cluster = entry(document.clusters, clusterName, 'cluster') ?? fail(`has no cluster "${clusterName}"`)
  const userName = text(context.user)
  const user =
    userName === undefined
      ? {}
      : (entry(document.users, userName, 'user') ?? fail(`has no user "${userName}"`))

  if (text(cluster['proxy-url'])) fail('proxy-url is not supported')
  for (const key of REFUSED_USER_KEYS) {
    if (user[key] !== undefined && user[key] !== null) fail(`${key} of user "${userName}" is not supported`)
  }
  const material = (from: Readonly<Record<string, unknown>>, key: string): Material | undefined => {
    const data = text(from[`${key}-data`])
    if (data !== undefined) return { data: Buffer.from(data, 'base64').toString('utf8') }
    const file = text(from[key])
    return file === undefined ? undefined : { file: resolve(dirname(path), file) }
  }
  const token = text(user.token)
  const tokenFile = text(user.tokenFile)
  const server = parseServer(text(cluster.server) ?? fail(`cluster "${clusterName}" has no server`), fail)
  const result: Kubeconfig = {
    server,
    servername: text(cluster['tls-server-name']),
    insecure: cluster['insecure-skip-tls-verify'] === true,
    ca: material(cluster, 'certificate-authority'),
    cert: material(user, 'client-certificate'),
    key: material(user, 'client-key'),
    token: token === undefined ? undefined : bearerToken(token, `kubeconfig ${path}`),
    tokenFile: tokenFile === undefined ? undefined : resolve(dirname(path), tokenFile),
    exec:
      user.exec === undefined || user.exec === null
        ? undefined
        : parseExec(user.exec, { path, env, cluster, server, fail }),
  }
  if (result.insecure && result.ca)
    fail('certificate-authority and insecure-skip-tls-verify exclude each other')
  if ((result.cert === undefined) !== (result.key === undefined))
    fail('client-certificate and client-key need each other')
  if (server.startsWith('http:') && (result.token || result.tokenFile || result.cert || result.exec)) {
    fail('credentials are never sent over http: use an https server')
  }
  return result
}

type Fail = (message: string) => never

function parseYaml(yaml: string, fail: Fail): unknown {
  try {
    return parse(yaml, { logLevel: 'error' })
  } catch {
    // The parser's message quotes the text around the mistake, which may be a key.
    return fail('is no YAML')
  }
}

function entry(list: unknown, name: string, kind: 'context' | 'cluster' | 'user') {
  const found = elements(list).find((item) => fields(item).name === name)
  return found === undefined ? undefined : fields(fields(found)[kind])
}

function parseServer(server: string, fail: Fail): string {
  const url = URL.parse(server)
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username || url.password) {
    return fail('server is no plain http or https URL')
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

interface ExecSurroundings {
  readonly path: string
  readonly env: KubeconfigOptions['env']
  readonly cluster: Readonly<Record<string, unknown>>
  readonly server: string
  readonly fail: Fail
}

function parseExec(value: unknown, surroundings: ExecSurroundings): ExecPlugin {
  const { path, cluster, server, fail } = surroundings
  const exec = fields(value)
  const apiVersion = exec.apiVersion
  if (
    apiVersion !== 'client.authentication.k8s.io/v1' &&
    apiVersion !== 'client.authentication.k8s.io/v1beta1'
  ) {
    return fail('exec.apiVersion is neither client.authentication.k8s.io/v1 nor v1beta1')
  }
  const command = text(exec.command) ?? fail('exec has no command')
  if (exec.interactiveMode === 'Always')
    fail('exec.interactiveMode Always needs a terminal, and the daemon has none')
  const env = { ...surroundings.env }
  for (const variable of elements(exec.env)) {
    const { name, value: set } = fields(variable)
    if (typeof name === 'string' && typeof set === 'string') env[name] = set
    else fail('exec.env has an entry that is no name and value')
  }
  const args = elements(exec.args)
  if (!args.every((arg) => typeof arg === 'string'))
    return fail('exec.args holds something that is no string')
  return {
    apiVersion,
    // A bare name is looked up in the PATH; anything else belongs to the kubeconfig's directory.
    command: command.includes('/') ? resolve(dirname(path), command) : command,
    args,
    env,
    installHint: text(exec.installHint),
    cluster:
      exec.provideClusterInfo === true
        ? {
            server,
            'certificate-authority-data': cluster['certificate-authority-data'],
            'tls-server-name': cluster['tls-server-name'],
            'insecure-skip-tls-verify': cluster['insecure-skip-tls-verify'],
          }
        : undefined,
  }
}
