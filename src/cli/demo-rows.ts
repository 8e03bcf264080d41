import { systemClock } from '../lib/clock.ts'
import { Secret } from '../lib/secret.ts'
import type { Sandbox } from '../sandbox/sandbox-types.ts'
import { obtainDemoCredential } from './demo-credential.ts'
import { cloudsOf, type DemoCloud, type DemoPod } from './demo-pods.ts'
import { askAsPod } from './demo-request.ts'

/** One row of the demo's table: a pod in a cloud. */
export interface DemoRow {
  /** `namespace/name` */
  readonly pod: string
  readonly ip: string
  readonly serviceAccount: string
  readonly cloud: DemoCloud
  /** Whom the cloud knows the credential as; where it was refused, whom the annotation names. */
  readonly identity: string | undefined
  /** Its digest. */
  readonly credential?: string
  /** Seconds. */
  readonly expiresIn?: number
  /** Of the first time, and of the second. */
  readonly coldMs: number
  readonly warmMs?: number
  /** The answer's status and body. */
  readonly refused?: string
}

/**
 * Gets a pod's credentials of all its clouds at once, and gets each again.
 *
 * @param daemon `host:port`
 */
export async function demoRows(daemon: string, sandbox: Sandbox, pod: DemoPod): Promise<DemoRow[]> {
  async function timed(cloud: DemoCloud) {
    const startedAt = performance.now()
    const got = await obtainDemoCredential(
      cloud,
      sandbox,
      (question) => askAsPod(daemon, pod.ip, question),
      () => systemClock.now(),
    )
    return { cloud, got, ms: performance.now() - startedAt }
  }
  const rows: DemoRow[] = []
  for (const { cloud, got: first, ms: coldMs } of await Promise.all(cloudsOf(pod).map(timed))) {
    const warm = 'status' in first ? undefined : await timed(cloud)
    const got = warm?.got ?? first
    const known = {
      pod: `${pod.namespace}/${pod.name}`,
      ip: pod.ip,
      serviceAccount: pod.serviceAccount,
      cloud,
      coldMs,
    }
    if ('status' in got) {
      const identity = pod.identities[cloud] ?? undefined
      rows.push({ ...known, identity, refused: `${got.status}: ${got.body.trim()}` })
    } else {
      const { identity, secret, expiresIn } = got
      rows.push({ ...known, identity, credential: new Secret(secret).digest, expiresIn, warmMs: warm!.ms })
    }
  }
  return rows
}
