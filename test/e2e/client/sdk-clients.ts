import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Sandbox } from '../../../src/sandbox/sandbox-types.ts'
import type { ContainerProgram } from './as-in-container.ts'

/** A cloud's own client. */
export interface SdkClient extends ContainerProgram {
  readonly name: string
  /** Why it can't be run here; undefined if it can. */
  missing(): Promise<string | undefined>
  /** Who the client is for the cloud, by what it printed; undefined if nobody. */
  identity(printed: string, sandbox: Sandbox): string | undefined
}

const AUDIENCE = 'https://service.example/path'
const GCLOUD = '/usr/bin/gcloud'
/** Where `.ci/run` installs the library. */
const PYTHON =
  process.env.METADATAD_TEST_PYTHON ??
  fileURLToPath(new URL('../../../.cache/venv/bin/python3', import.meta.url))

/** All that are run. */
export const CLIENTS: readonly SdkClient[] = [
  {
    name: 'gcloud auth list',
    program: GCLOUD,
    args: ['auth', 'list', '--format=json'],
    env: {
      CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
      PATH: '/usr/bin:/bin',
    },
    // Asking it for its version takes it a minute where the network answers nothing.
    missing: async () => (existsSync(GCLOUD) ? undefined : `${GCLOUD} is not installed`),
    identity(printed) {
      const accounts = JSON.parse(printed) as { account: string; status: string }[]
      return accounts.length === 1 && accounts[0]!.status === 'ACTIVE' ? accounts[0]!.account : undefined
    },
  },
  {
    name: 'google-auth-library (Node)',
    program: process.execPath,
    args: [fileURLToPath(new URL('../../sdk/google-auth-library.client.ts', import.meta.url)), AUDIENCE],
    env: {},
    missing: async () => undefined,
    identity: googleIdentity,
  },
  {
    name: 'google-auth (Python)',
    program: PYTHON,
    args: [fileURLToPath(new URL('../../sdk/google_auth_client.py', import.meta.url)), AUDIENCE],
    env: {},
    missing: canImport,
    identity: googleIdentity,
  },
]

/** What it believes to be and what its token is must be the same. */
function googleIdentity(printed: string, { google }: Sandbox): string | undefined {
  const { email, accessToken } = JSON.parse(printed) as { email: string; accessToken: string }
  return google.inspect(accessToken)?.identity === email ? email : undefined
}

async function canImport(): Promise<string | undefined> {
  try {
    await promisify(execFile)(PYTHON, ['-c', 'import google.auth, requests'])
    return undefined
  } catch {
    return `${PYTHON} has no google-auth and requests`
  }
}
