import type { LogLevel } from '../lib/log.ts'

/** An IP address and TCP port to listen on; port 0 takes a free one. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** An address, and a port of it, that pods may reach although it is a metadata address: see `intercept.allow`. */
export interface AllowedAddress {
  /** Spelled by `canonicalAddress`; one of the intercepted addresses. */
  readonly address: string
  /** 53 (TCP and UDP) or 123 (UDP). */
  readonly port: 53 | 123
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

/** The `aws` section. */
export interface AwsConfig {
  /** The region of STS, and what pods are told. */
  readonly region: string
  readonly audience: string
  /** 900 to 43,200. */
  readonly sessionSeconds: number
  readonly fips: boolean
  readonly dualStack: boolean
  /** Answer without a session token (IMDSv1) too. */
  readonly imdsV1: boolean
  /** Honour the pod annotation `iam.amazonaws.com/role` of kube2iam and kiam. */
  readonly podRoleAnnotation: boolean
  /** What a bare role name in that annotation is appended to: `arn:aws:iam::123456789012:role/`. */
  readonly roleArnPrefix: string | undefined
  /** Answer at 169.254.170.2 without a token (`AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`). */
  readonly relativeUri: boolean
  readonly passthrough: readonly string[]
  readonly endpoints: { readonly sts: string | undefined; readonly metadata: string }
}

/** One entry of `azure.identities`: other names of an application, by which requests may ask for it. */
export interface AzureIdentityEntry {
  readonly clientId: string
  readonly objectId: string | undefined
  readonly resourceId: string | undefined
  readonly principalId: string | undefined
}

/** The `azure` section. */
export interface AzureConfig {
  /** The default tenant. */
  readonly tenantId: string
  readonly cloud: 'public' | 'usgov' | 'china'
  /** Audience of the subject token; undefined: the cloud's own. */
  readonly audience: string | undefined
  readonly requireUseLabel: boolean
  /** Refuse a `client_id` other than the annotated one, instead of letting Entra decide. */
  readonly strictClientId: boolean
  readonly identities: readonly AzureIdentityEntry[]
  readonly passthrough: readonly string[]
  readonly endpoints: { readonly authority: string | undefined; readonly metadata: string }
}

/** The `intercept` section. */
export interface InterceptConfig {
  readonly mode: 'none' | 'redirect' | 'bind'
  readonly allow: readonly AllowedAddress[]
  readonly keepPodIdentityAgent: boolean
  readonly trustPrerouting: boolean
  /** `namespace/name` of the ServiceAccount whose pods' self-test reports are believed. */
  readonly probe: string
}

/**
 * What the operator asked for, checked, with every default filled in; deeply frozen. What each key means is told by
 * the schema (`schema.ts`) and docs/configuration.md. Durations are in the unit that their name ends with.
 */
export interface Config {
  readonly node: { readonly name: string; readonly startupTaint: string | undefined }
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
    readonly proof: 'require' | 'prefer' | 'off'
    readonly sandboxedRuntimes: readonly string[]
    /** Where the host's process table and cgroup hierarchy are mounted. */
    readonly procRoot: string
    readonly cgroupRoot: string
    readonly confirmWithinMs: number
    readonly serveUnconfirmed: boolean
  }
  /** At least one of the three clouds is there. */
  readonly google: GoogleConfig | undefined
  readonly aws: AwsConfig | undefined
  readonly azure: AzureConfig | undefined
  readonly rules: readonly RuleConfig[]
  readonly credentials: {
    readonly prefetch: boolean
    readonly maxPerPod: number
    readonly refusalTtlMs: number
  }
  readonly listen: {
    readonly metadata: readonly ListenAddress[]
    /** Empty: not answered at all. */
    readonly containerCredentials: readonly ListenAddress[]
    readonly admin: ListenAddress
    /** Directory of the files `live` and `ready`; undefined: none are kept. */
    readonly health: string | undefined
    readonly drainMs: number
  }
  readonly intercept: InterceptConfig
  readonly limits: { readonly connectionsPerPod: number; readonly connections: number }
  readonly stateDir: string
  readonly upstream: { readonly caFile: string | undefined; readonly proxy: 'environment' | 'none' }
  readonly log: { readonly level: LogLevel; readonly format: 'json' | 'pretty' }
}
