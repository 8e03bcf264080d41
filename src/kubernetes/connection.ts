import type { Secret } from '../lib/secret.ts'

/** What `tls.connect` needs to know of the API server and of the client; PEM text throughout. */
export interface TlsMaterial {
  /** Certificates to trust instead of the system's. */
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  /** The name to ask for and to verify, where it is not the URL's host. */
  readonly servername: string | undefined
  /** True only if the operator's kubeconfig says `insecure-skip-tls-verify`. */
  readonly insecure: boolean
}

/** What one request is sent with. */
export interface ConnectionCredentials {
  readonly token: Secret | undefined
  /** The same object for as long as nothing in it changes: the client keeps its connections by it. */
  readonly tls: TlsMaterial
}

/** Where an API server is and how to be somebody there. */
export interface KubernetesConnection {
  /** `https://host:port`, and a path where the API is served below one; no trailing slash. */
  readonly server: string
  /**
   * The credentials as they are now: files are read again when they are a minute old, plugins run when theirs expire.
   *
   * @param renew true after the server answered 401: nothing kept from before will do
   * @throws MetadatadError `CONFIG_INVALID`, or `KUBERNETES_UNAVAILABLE` where another try may succeed
   */
  credentials(renew: boolean, signal: AbortSignal): Promise<ConnectionCredentials>
}
