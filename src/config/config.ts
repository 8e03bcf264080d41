import type { LogLevel } from '../lib/log.ts'

/** An IP address and TCP port to listen on; port 0 takes a free one. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** One entry of `rules`: globs of who may use which identity; a part left out matches everything. First match wins. */
export interface RuleConfig {
  readonly namespace: string | readonly string[] | undefined
  readonly serviceAccount: string | readonly string[] | undefined
  readonly identity: string | readonly string[] | undefined
  readonly allow: boolean
}

/**
 * The `google` section. Exactly one kind of trust is set: `workloadIdentityProvider`, or `identityNamespace` together
 * with `identityProvider`.
 */
export interface GoogleConfig {
  readonly projectId: string
  readonly projectNumber: string | undefined
  readonly workloadIdentityProvider: string | undefined
  readonly identityNamespace: string | undefined
  readonly identityProvider: string | undefined
  readonly subject: string
  readonly audience: string | undefined
  readonly universeDomain: string
  readonly unannotated: 'federate' | 'refuse'
  readonly scopes: readonly string[]
  /** Base URLs without a trailing slash; undefined means the universe's public endpoint. */
  readonly endpoints: {
    readonly sts: string | undefined
    readonly iamCredentials: string | undefined
    /** The node's real metadata server. */
    readonly metadata: string
  }
  readonly passthrough: readonly string[]
  readonly hosts: readonly string[]
}

/**
 * What the operator asked for, checked, with every default filled in; deeply frozen. What each key means is told by
 * the schema (`schema.ts`) and docs/configuration.md. Durations are in the unit that their name ends with.
 */
export interface Config {
  readonly node: { readonly name: string }
  readonly cluster: {
    readonly name: string | undefined
    readonly location: string | undefined
    readonly uid: string | undefined
  }
  readonly kubernetes: { readonly kubeconfig: string | undefined; readonly context: string | undefined }
  readonly subjectToken: {
    readonly source: 'auto' | 'tokenRequest' | 'projected'
    readonly kubeletRoot: string
    readonly expirationSeconds: number
  }
  readonly caller: {
    readonly proof: 'off'
    readonly confirmWithinMs: number
    readonly serveUnconfirmed: boolean
  }
  readonly google: GoogleConfig | undefined
  readonly rules: readonly RuleConfig[]
  readonly credentials: {
    readonly prefetch: boolean
    readonly maxPerPod: number
    readonly refusalTtlMs: number
  }
  readonly listen: { readonly metadata: readonly ListenAddress[]; readonly admin: ListenAddress }
  readonly intercept: { readonly mode: 'none' }
  readonly limits: { readonly connectionsPerPod: number; readonly connections: number }
  readonly stateDir: string
  readonly upstream: { readonly caFile: string | undefined; readonly proxy: 'environment' | 'none' }
  readonly log: { readonly level: LogLevel; readonly format: 'json' | 'pretty' }
}
