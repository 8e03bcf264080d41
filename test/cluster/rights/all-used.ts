import assert from 'node:assert/strict'
import { ask } from '../../support/ask.ts'
import { eventually } from '../../support/eventually.ts'
import { TOKEN } from '../../support/pod-questions.ts'
import { DAEMON } from '../suite.ts'
import type { World } from '../world.ts'
import { IPS } from './lacks.ts'
import { patientAnswer } from './questions.ts'
import { serviceAccountToken } from './service-account-token.ts'
import type { ThreeIdentities } from './three-identities.ts'

/** Asked of servers that stream no lists (the scenario watch-lists sees both there), and where a watch is quiet for a minute. */
const PAGED = ['list serviceaccounts', 'list nodes']
/** Every ServiceAccount may: system:service-account-issuer-discovery. */
const EVERYBODYS = ['get /.well-known/openid-configuration', 'get /openid/v1/jwks']

/**
 * A daemon with the manifests' rights does all its work; what the API server wrote down of it is every right that it has, and
 * nothing that it has not. Returns the number of its calls.
 */
export async function allUsed(
  world: World,
  whole: ThreeIdentities,
  wholeUid: string,
  granted: readonly string[],
): Promise<number> {
  const { admin, audit } = world.plane
  await audit.read()
  const daemon = await world.startDaemon()
  for (const what of ['google', 'aws', 'azure', 'zone'] as const)
    await patientAnswer(daemon, IPS.whole, whole, what)
  const token = await serviceAccountToken(admin, world.namespace, 'whole', {
    audience: 'pods.eks.amazonaws.com',
    pod: { name: 'whole', uid: wholeUid },
  })
  const contained = await eventually(
    () => ask(daemon.containerHost, '/v1/credentials', { ip: IPS.whole, headers: { authorization: token } }),
    ({ status }) => status !== 503,
  )
  assert.equal(contained.status, 200)

  const expected = new Set([...granted, ...EVERYBODYS].filter((right) => !PAGED.includes(right)))
  const used = new Set<string>()
  let calls = 0
  await eventually(
    async () => {
      for (const ip of [IPS.refused, IPS.orphan, IPS.twins])
        assert.notEqual((await ask(daemon.host, TOKEN, { ip })).status, 200)
      for (const { user, verb, resource, uri, status } of await audit.read()) {
        assert.equal(user, DAEMON)
        assert.notEqual(status, 403, `${verb} ${uri}`)
        used.add(`${verb} ${resource || uri}`)
        calls++
      }
    },
    () => [...expected].every((right) => used.has(right)),
  )
  const may = [...granted, ...EVERYBODYS]
  assert.deepEqual(
    [...used].filter((right) => !may.includes(right)),
    [],
  )
  return calls
}
