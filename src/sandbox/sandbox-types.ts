import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { SandboxAws } from './aws/sandbox-aws.ts'
import type { SandboxAzure } from './azure/sandbox-azure.ts'

/** A pod to create in the sandbox's cluster. */
export interface SandboxPod {
  readonly namespace: string
  readonly name: string
  readonly serviceAccountName?: string
  readonly nodeName?: string
  /** `status.podIPs`; none yet if absent. */
  readonly ips?: readonly string[]
  /** `Running` unless said otherwise. */
  readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed'
  readonly hostNetwork?: boolean
  readonly annotations?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  /** Projected service-account token volumes: their audiences, expirations and paths. */
  readonly projectedTokens?: readonly {
    volume: string
    path: string
    audience?: string
    expirationSeconds?: number
  }[]
}

/** One of a node's `spec.taints` (core/v1 Taint). */
export interface SandboxTaint {
  readonly key: string
  readonly value?: string
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'
}

/** What one fake service does besides its work. Times in milliseconds. All may be changed at any moment. */
export interface ServiceControls {
  /** Added before every answer. */
  latencyMs: number
  /**
   * Looked at for every call before the service's own work. Returns an answer to give instead, 'hang' to never answer,
   * 'reset' to break the connection, or undefined to go on. `call` is the counter's name (see `calls`).
   */
  intercept: ((call: string, body: unknown) => InjectedAnswer | 'hang' | 'reset' | undefined) | undefined
  /** How often each call was received, by name; `resetCalls()` empties it. */
  readonly calls: ReadonlyMap<string, number>
  resetCalls(): void
}

/** An answer given instead of the service's own. */
export interface InjectedAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: unknown
}

/**
 * The Kubernetes API subset. Object arguments are copied in; every change gets a resourceVersion and reaches the watches.
 * Call names of the counters: `list pods`, `watch pods`, `get pods`, `create serviceaccounts/token`, … (verb, resource).
 */
export interface SandboxKubernetes extends ServiceControls {
  readonly url: string
  /** The issuer of the cluster's tokens: `url` unless changed. Serves /.well-known/openid-configuration and /openid/v1/jwks. */
  readonly issuer: string
  /** Creates the pod, its namespace and its ServiceAccount where they do not exist; returns its UID. */
  createPod(pod: SandboxPod): string
  /** Sets status fields or annotations of an existing pod. */
  updatePod(
    namespace: string,
    name: string,
    change: Partial<Pick<SandboxPod, 'ips' | 'phase' | 'annotations' | 'labels'>> & {
      sandboxReady?: boolean
    },
  ): void
  /** Graceful deletion: sets deletionTimestamp; the object stays until `removePod`. */
  deletePod(namespace: string, name: string): void
  /** The object is gone at once (forced deletion, or the end of a graceful one). */
  removePod(namespace: string, name: string): void
  /** The pod as the API server has it now, or undefined. */
  pod(
    namespace: string,
    name: string,
  ):
    | { uid: string; ips: readonly string[]; phase: string; terminating: boolean; serviceAccountName: string }
    | undefined
  /** Creates or re-annotates; returns its UID. Annotations are replaced as a whole. */
  applyServiceAccount(namespace: string, name: string, annotations?: Readonly<Record<string, string>>): string
  removeServiceAccount(namespace: string, name: string): void
  applyNode(
    name: string,
    node?: {
      labels?: Readonly<Record<string, string>>
      providerId?: string
      internalIps?: readonly string[]
      taints?: readonly SandboxTaint[]
    },
  ): void
  /** The node's `spec.taints` as the API server has them now. */
  taints(nodeName: string): readonly SandboxTaint[]
  /** Events written so far, newest last. */
  readonly events: readonly {
    namespace: string
    reason: string
    message: string
    regardingUid: string
    count: number
  }[]
  /** A bearer token for a user with exactly these rights (`verb resource`, e.g. `list pods`; `*` for all). */
  userToken(name: string, rights: readonly string[]): string
  /** A kubeconfig (YAML text) for that user, with the CA embedded. */
  kubeconfig(name: string, rights: readonly string[]): string
  /** A client certificate and its key (PEM) for that user, as a kubeconfig's `client-certificate-data` holds them. */
  clientCertificate(name: string, rights: readonly string[]): Promise<{ cert: string; key: string }>
  /** A service-account token as TokenRequest would give it, for tests that play the kubelet. */
  mintToken(
    pod: { namespace: string; name: string },
    audience: string,
    expirationSeconds?: number,
  ): Promise<string>
  /** Replaces the signing key; the JWKS shows old and new. */
  rotateSigningKey(): Promise<void>
  /** Streaming lists (`sendInitialEvents`) are understood; false plays an old server, which answers 422 (Invalid). */
  streamingLists: boolean
  /** How often watches that allow it get a bookmark. */
  bookmarkIntervalMs: number
  /** Objects a list page holds at most, whatever `limit` says. */
  maxPageSize: number
  /**
   * Forgets the history: continue tokens and exact versions from before get HTTP 410; open watches, and watches from
   * before, get an ERROR event with a 410 Status, as the real server's watches do.
   */
  compact(): void
  /** Ends all watches' connections: 'close' after the current line, 'reset' in the middle of anything. */
  dropWatches(how: 'close' | 'reset'): void
  /** While true, watches stay open and deliver nothing: no event, no bookmark. Delivered late when false again. */
  freezeWatches: boolean
  /** Watch events wait this long, each pod's in order. A function may choose per event, for reordering between objects. */
  watchDelayMs: number | ((event: { type: string; resource: string; key: string }) => number)
  /** Lists and gets are answered from the state of this long ago (a lagging API server). */
  readLagMs: number
  /** While true, every connection is reset as soon as it is made; setting it resets the open ones. */
  outage: boolean
}

/** What a Google access token of the sandbox stands for. */
export interface GoogleTokenInfo {
  /** The service account's e-mail, or the IAM member that a federated token is. */
  readonly identity: string
  readonly scopes: readonly string[]
  /** The pod whose service-account token was exchanged. */
  readonly podUid: string | undefined
  readonly quotaProject: string | undefined
}

/**
 * Google STS and IAM Credentials. Counter names: `sts`, `generateAccessToken`, `generateIdToken`, and `jwks` for the key sets
 * that STS asked issuers for.
 * STS verifies the subject token against the issuer's own discovery document and keys.
 */
export interface SandboxGoogle extends ServiceControls {
  readonly stsUrl: string
  readonly iamCredentialsUrl: string
  /** Issuer of the ID tokens; serves a JWKS for them. */
  readonly idTokenIssuer: string
  /** A workload identity pool provider; `name` is `projects/N/locations/global/workloadIdentityPools/POOL/providers/P`. */
  addProvider(
    name: string,
    options: {
      issuer: string
      allowedAudiences?: readonly string[]
      attributeMapping?: Readonly<Record<string, string>>
    },
  ): void
  /** An identity namespace `PROJECT.svc.id.goog` with the provider URI that STS is asked with. */
  addIdentityNamespace(namespace: string, providerUri: string, options: { issuer: string }): void
  /** Grants `role` on the service account to the member, as `gcloud iam service-accounts add-iam-policy-binding` would. */
  grant(
    serviceAccountEmail: string,
    member: string,
    role?: 'roles/iam.workloadIdentityUser' | 'roles/iam.serviceAccountTokenCreator',
  ): void
  revoke(serviceAccountEmail: string, member: string): void
  /** Who an access token is; undefined if it was never given out or has ended. */
  inspect(accessToken: string): GoogleTokenInfo | undefined
  /** Life of the tokens given out, in seconds. */
  tokenLifetimeSeconds: number
}

/** An in-process cluster and clouds that speak the real wire formats over HTTPS on loopback. */
export interface Sandbox {
  readonly kubernetes: SandboxKubernetes
  readonly google: SandboxGoogle
  readonly aws: SandboxAws
  readonly azure: SandboxAzure
  /** The sandbox's own certificate authority, PEM. */
  readonly caPem: string
  close(): Promise<void>
}

/** How to start one. */
export interface SandboxOptions {
  readonly clock?: Clock
  readonly log?: Log
}
