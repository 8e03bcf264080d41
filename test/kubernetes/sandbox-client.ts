import type { Test } from 'tap'
import { createKubernetesClient } from '../../src/kubernetes/create-client.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { Secret } from '../../src/lib/secret.ts'
import { startSandbox } from '../../src/sandbox/start-sandbox.ts'

/** A cluster, and a client of it with the given rights. */
export async function sandboxClient(t: Test, rights: readonly string[] = ['*'], clock: Clock = systemClock) {
  const sandbox = await startSandbox({ clock })
  const { kubernetes } = sandbox
  const metrics = createMetrics()
  const tls = { ca: sandbox.caPem, cert: undefined, key: undefined, servername: undefined, insecure: false }
  const token = new Secret(kubernetes.userToken('daemon', rights))
  const connection = { server: kubernetes.url, credentials: async () => ({ token, tls }) }
  const client = createKubernetesClient(connection, { clock, log: silentLog, metrics })
  t.teardown(async () => {
    await client.close()
    await sandbox.close()
  })
  return { sandbox, kubernetes, client, metrics }
}
