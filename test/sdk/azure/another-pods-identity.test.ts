import t from 'tap'
import { type Metadatad, startMetadatad } from '../../support/start-metadatad.ts'
import { answered } from '../answered.ts'
import { addCloudPod, cloudCalls, prefetched } from '../three-clouds.ts'
import { AZURE_CLIENTS } from './clients.ts'
import { runAzureClient } from './run-azure-client.ts'

// Many programs are run.
t.setTimeout(900_000)

const CLIENTS = AZURE_CLIENTS.filter(({ name }) =>
  ['js-default-named', 'msal-node-named', 'py-managed-named'].includes(name),
)

t.test("another pod's identity is refused with the operator's words, where he is strict", async (t) => {
  t.jobs = 2
  await using metadatad = await startMetadatad({ flags: { 'azure.strictClientId': 'true' } })
  const { owner, thief } = await startTwo(metadatad)
  const before = cloudCalls(metadatad.sandbox)
  const runs = CLIENTS.map((client) =>
    t.test(client.name, { skip: client.missing ?? false, buffered: true }, async (t) => {
      const ran = await answered(() =>
        runAzureClient(metadatad, client, { ip: thief.ip, clientId: owner.clientId }),
      )
      t.equal(ran.printed, undefined)
      t.strictSame(
        ran.requests.map(({ status }) => status),
        [400],
      )
      t.match(ran.error, `not ${owner.clientId}. Ask for no client ID, or correct the annotation.`)
    }),
  )
  await Promise.all(runs)
  t.strictSame(cloudCalls(metadatad.sandbox), before)
})

t.test("another pod's identity is refused by Entra, and the library says what would let it in", async (t) => {
  await using metadatad = await startMetadatad()
  const { owner, thief } = await startTwo(metadatad)
  const client = CLIENTS.find(({ name }) => name === 'msal-node-named')!
  const ran = await answered(() =>
    runAzureClient(metadatad, client, { ip: thief.ip, clientId: owner.clientId }),
  )
  t.equal(ran.printed, undefined)
  t.ok(ran.requests.every(({ status }) => status === 503))
  t.match(ran.error, 'subject system:serviceaccount:ns:sa-thief and audience api://AzureADTokenExchange')
  t.comment(`${ran.requests.length} requests, ${ran.elapsedMs} ms in all`)
})

async function startTwo(metadatad: Metadatad) {
  const owner = addCloudPod(metadatad, '127.0.22.40', 'owner')
  const thief = addCloudPod(metadatad, '127.0.22.41', 'thief')
  for (const pod of [owner, thief]) await prefetched(metadatad, pod)
  return { owner, thief }
}
