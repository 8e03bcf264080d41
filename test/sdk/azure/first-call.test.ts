import t from 'tap'
import { SANDBOX_TENANT } from '../../../src/sandbox/names.ts'
import { startMetadatad } from '../../support/start-metadatad.ts'
import { answered } from '../answered.ts'
import type { Recorded } from '../start-relay.ts'
import { addCloudPod, cloudCalls, prefetched } from '../three-clouds.ts'
import { AZURE_CLIENTS } from './clients.ts'
import { RESOURCE_MANAGER, runAzureClient } from './run-azure-client.ts'

// Many programs are run.
t.setTimeout(900_000)

for (const latencyMs of [50, 900]) {
  t.test(`the first call waits for nobody while Entra takes ${latencyMs} ms`, async (t) => {
    t.jobs = 2
    await using metadatad = await startMetadatad()
    const { sandbox } = metadatad
    const pods = AZURE_CLIENTS.map(({ name }, n) => addCloudPod(metadatad, `127.0.22.${n + 1}`, name))
    for (const pod of pods) await prefetched(metadatad, pod)
    const before = cloudCalls(sandbox)
    sandbox.azure.latencyMs = latencyMs

    const runs = AZURE_CLIENTS.map((client, n) => {
      const { uid, ...pod } = pods[n]!
      return t.test(client.name, { skip: client.missing ?? false, buffered: true }, async (t) => {
        const ran = await answered(() => runAzureClient(metadatad, client, pod))
        const { printed, error, requests, elapsedMs } = ran
        t.equal(error, '')
        const { token = '', again, expiresOn } = printed ?? {}
        const info = sandbox.azure.inspect(token)
        t.match(info, {
          clientId: pod.clientId,
          tenantId: SANDBOX_TENANT,
          audience: RESOURCE_MANAGER,
          podUid: uid,
        })
        t.equal(again, token)
        // They add the seconds that are left to their own time, some of them rounded.
        t.ok(Math.abs(expiresOn! - info!.expiresAt / 1000) < 60)
        t.strictSame(requests.map(asked), [
          {
            status: 200,
            path: '/metadata/identity/oauth2/token',
            ...(client.named ? { client_id: pod.clientId } : {}),
            'api-version': '2018-02-01',
            resource: RESOURCE_MANAGER,
          },
        ])
        t.comment(`${printed?.elapsedMs ?? '?'} ms for the token, ${elapsedMs} ms in all`)
      })
    })
    await Promise.all(runs)
    t.strictSame(cloudCalls(sandbox), before, 'nothing was asked of the cloud or the cluster')
  })
}

/** A request for a token: its path as the daemon reads it, and its parameters. */
function asked({ line, status }: Recorded) {
  const { pathname, searchParams } = new URL(line.replace('GET ', 'http://metadata'))
  const path = pathname.replace(/\/$/, '')
  return { status, path, ...Object.fromEntries(searchParams) }
}
