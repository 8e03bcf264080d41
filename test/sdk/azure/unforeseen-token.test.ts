import t from 'tap'
import { startMetadatad } from '../../support/start-metadatad.ts'
import { addCloudPod, cloudCalls, prefetched } from '../three-clouds.ts'
import { AZURE_CLIENTS } from './clients.ts'
import { runAzureClient } from './run-azure-client.ts'

const VAULT = 'https://vault.azure.net'
const CLIENTS = AZURE_CLIENTS.filter(({ name }) => ['js-default', 'msal-node', 'py-managed'].includes(name))

for (const latencyMs of [50, 900]) {
  t.test(`a token that nobody foresaw costs one call that takes ${latencyMs} ms`, async (t) => {
    t.jobs = 2
    await using metadatad = await startMetadatad()
    const { sandbox } = metadatad
    const pods = CLIENTS.map(({ name }, n) => addCloudPod(metadatad, `127.0.22.${n + 31}`, name))
    for (const pod of pods) await prefetched(metadatad, pod)
    const before = cloudCalls(sandbox)
    sandbox.azure.latencyMs = latencyMs

    const runs = CLIENTS.map((client, n) =>
      t.test(client.name, { skip: client.missing ?? false, buffered: true }, async (t) => {
        const pod = pods[n]!
        const ran = await runAzureClient(metadatad, client, { ...pod, resource: VAULT })
        t.equal(ran.error, '')
        t.match(sandbox.azure.inspect(ran.printed?.token ?? ''), {
          clientId: pod.clientId,
          audience: VAULT,
          podUid: pod.uid,
        })
        t.match(ran.requests.at(-1), { status: 200 })
        t.comment(`${ran.requests.map(({ status }) => status)}: ${ran.printed?.elapsedMs} ms for the token`)
      }),
    )
    await Promise.all(runs)
    const ranHere = CLIENTS.filter(({ missing }) => missing === undefined).length
    const calls = cloudCalls(sandbox)
    t.strictSame(calls, { ...before, entra: before.entra + ranHere })
  })
}
