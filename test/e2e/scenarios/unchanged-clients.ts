import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { asInContainer } from '../client/as-in-container.ts'
import { CLIENTS } from '../client/sdk-clients.ts'
import type { Scenario } from '../scenario.ts'

/** The clouds' own programs in a pod, with nothing set that tells them where the metadata server is. */
export const unchangedClients: Scenario = {
  name: 'unchanged-clients',
  async run(world) {
    const daemon = await world.startDaemon()
    await daemon.ready()
    const hosts = join(world.place.directory, 'hosts')
    await writeFile(hosts, '127.0.0.1 localhost\n169.254.169.254 metadata.google.internal\n')
    let failures = 0
    let wrongIdentities = 0
    let requests = 0
    const notes: string[] = []
    for (const pod of [world.pods[0], world.pods[2]]) {
      for (const client of CLIENTS) {
        const missing = await client.missing()
        if (missing !== undefined) {
          notes.push(`${client.name} skipped: ${missing}`)
          continue
        }
        requests++
        const ran = await asInContainer(pod, world.place.directory, hosts, client)
        const identity = ran.status === 0 ? client.identity(ran.stdout, world.sandbox) : undefined
        if (identity === undefined) {
          failures++
          notes.push(`${client.name} failed in ${pod.spec.name}: ${ran.stderr.trim().slice(-500)}`)
        } else if (identity !== pod.spec.email) wrongIdentities++
        else notes.push(`${client.name} in ${pod.spec.name}: its own`)
      }
    }
    assert.ok(requests > 0)
    return {
      requests,
      failures,
      packetsAtCloud: await world.packetsAtCloud(),
      wrongIdentities,
      note: notes.join('; '),
    }
  },
}
