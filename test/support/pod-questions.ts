import type { SandboxGoogle } from '../../src/sandbox/sandbox-types.ts'
import { ask } from './ask.ts'
import { eventually } from './eventually.ts'

/** A daemon, and the Google that it asks. */
export interface Asked {
  /** `127.0.0.1:port` where pods are answered. */
  readonly host: string
  readonly sandbox: { readonly google: SandboxGoogle }
}

const ACCOUNT = '/computeMetadata/v1/instance/service-accounts/default'

/** Paths that every pod asks. */
export const TOKEN = `${ACCOUNT}/token`
export const EMAIL = `${ACCOUNT}/email`

/** The path of an ID token. */
export function identityPath(audience: string): string {
  return `${ACCOUNT}/identity?${new URLSearchParams({ audience, format: 'full' })}`
}

/** A Google service account of the sandbox's project. */
export function gsa(name: string): string {
  return `${name}@demo-project.iam.gserviceaccount.com`
}

/** Asks as SDKs do: 503 is asked again. */
export function askPatiently(metadatad: Asked, ip: string, path: string) {
  return eventually(
    () => ask(metadatad.host, path, { ip }),
    ({ status }) => status !== 503,
  )
}

/**
 * The access token that the pod at `ip` gets.
 *
 * @throws Error if it is refused
 */
export async function tokenOf(
  metadatad: Asked,
  ip: string,
  path = TOKEN,
): Promise<{ access_token: string; expires_in: number; token_type: string }> {
  const { status, body } = await askPatiently(metadatad, ip, path)
  if (status !== 200) throw new Error(`${status}: ${body}`)
  return JSON.parse(body)
}

/** Who is behind the access token that the pod at `ip` gets, by the word of the cloud that gave it out. */
export async function identityOf(metadatad: Asked, ip: string, path = TOKEN): Promise<string | undefined> {
  return metadatad.sandbox.google.inspect((await tokenOf(metadatad, ip, path)).access_token)?.identity
}
