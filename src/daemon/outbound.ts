import { readFileSync } from 'node:fs'
import { createSecureContext, rootCertificates } from 'node:tls'
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici'
import type { Config } from '../config/config.ts'
import { MetadatadError } from '../lib/errors.ts'

/** The environment variables that name proxies, as curl and the clouds' SDKs read them. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>

/**
 * The way to the clouds: keep-alive HTTPS that trusts the public authorities and those of `upstream.caFile`, through the
 * proxies of the environment where `upstream.proxy` says so.
 *
 * @throws MetadatadError `CONFIG_INVALID` if the CA file can't be read
 */
export function createOutbound(upstream: Config['upstream'], environment: ProxyEnvironment): Dispatcher {
  // Made once: reading all public authorities takes longer than the handshake that it would precede every time.
  const connect =
    upstream.caFile === undefined
      ? {}
      : { secureContext: createSecureContext({ ca: [...rootCertificates, readCa(upstream.caFile)] }) }
  // Renewals come minutes apart; a connection kept for the next costs a file descriptor, a new one two round trips.
  const options = { connect, keepAliveTimeout: 60_000, connections: 64 }
  if (upstream.proxy === 'none') return new Agent(options)
  const either = (name: string) => environment[name.toLowerCase()] ?? environment[name]
  return new EnvHttpProxyAgent({
    ...options,
    httpProxy: either('HTTP_PROXY') ?? '',
    httpsProxy: either('HTTPS_PROXY') ?? '',
    noProxy: either('NO_PROXY') ?? '',
    requestTls: connect,
  })
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new MetadatadError('CONFIG_INVALID', `upstream.caFile can't be read: ${(cause as Error).message}`, {
      fault: 'ours',
      retryable: false,
      publicMessage: 'The daemon is not configured correctly; its log has the details.',
      cause,
    })
  }
}
