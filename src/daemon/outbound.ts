import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, rootCertificates } from 'node:tls'
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici'
import type { Config } from '../config/config.ts'
import { MetadatadError } from '../lib/errors.ts'

/** The environment variables that name proxies, as curl and the clouds' SDKs read them. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>

/**
 * The way to the clouds: keep-alive HTTPS that trusts the public authorities and those of `upstream.caFile`, through the
 * proxy that `HTTPS_PROXY` names where `upstream.proxy` says so.
 *
 * @throws MetadatadError `CONFIG_INVALID` if the CA file can't be read or the proxy is no address
 */
export function createOutbound(upstream: Config['upstream'], environment: ProxyEnvironment): Dispatcher {
  // Made once: each connection would read all public authorities anew, for 1 MiB and longer than its handshake takes.
  const connect =
    upstream.caFile === undefined
      ? {}
      : { secureContext: createSecureContext({ ca: [...rootCertificates, readCa(upstream.caFile)] }) }
  // Renewals come minutes apart; a connection kept for the next costs a file descriptor, a new one two round trips.
  const options = { connect, keepAliveTimeout: 60_000, connections: 64 }
  if (upstream.proxy === 'none') return new Agent(options)
  return new EnvHttpProxyAgent({
    ...options,
    // The agent would take this one for https too, where no other is named.
    httpProxy: '',
    httpsProxy: parseProxy(environment.https_proxy ?? environment.HTTPS_PROXY ?? ''),
    noProxy: environment.no_proxy ?? environment.NO_PROXY ?? '',
    requestTls: connect,
  })
}

function readCa(file: string): string {
  try {
    const pem = readFileSync(file, 'utf8')
    // TLS passes over what is no certificate in silence, and the first exchange would fail instead of the start.
    new X509Certificate(pem)
    return pem
  } catch (cause) {
    throw configError(`upstream.caFile can't be read: ${(cause as Error).message}`, cause)
  }
}

/** @returns the URL; empty if there is no proxy */
function parseProxy(value: string): string {
  if (value === '') return ''
  const url = URL.parse(/^[a-z][a-z\d+.-]*:\/\//i.test(value) ? value : `http://${value}`)
  // Neither the value nor the parser's error: it may hold a password.
  if (url === null || !/^https?:$/.test(url.protocol))
    throw configError('HTTPS_PROXY is no http or https URL')
  return url.href
}

function configError(message: string, cause?: unknown): MetadatadError {
  return new MetadatadError('CONFIG_INVALID', message, {
    fault: 'ours',
    retryable: false,
    publicMessage: 'The daemon is not configured correctly; its log has the details.',
    cause,
  })
}
