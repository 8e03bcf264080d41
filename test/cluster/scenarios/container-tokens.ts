import { createPrivateKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { decodeJwt, decodeProtectedHeader, type JWTPayload, SignJWT } from 'jose'
import type { Answered } from '../../support/ask.ts'
import { eventually } from '../../support/eventually.ts'
import type { Scenario } from '../scenario.ts'
import { askContainer } from '../tokens/ask-container.ts'
import { projectedToken } from '../tokens/projected-token.ts'

const MINE = '127.0.31.1'
const OTHER = '127.0.31.2'
const SKEW_SECONDS = 60

/** Container credentials are given for the very pod's own token, as the real cluster signs it, and for no other. */
export const containerTokens: Scenario = {
  name: 'container-tokens',
  async run(world) {
    const { plane, clouds, namespace } = world
    const roles = {
      [MINE]: await world.awsServiceAccount('mine'),
      [OTHER]: await world.awsServiceAccount('other'),
    }
    const mine = { name: 'mine', serviceAccount: 'mine' }
    const other = { name: 'other', serviceAccount: 'other' }
    await world.createPod({ ...mine, ip: MINE })
    await world.createPod({ ...other, ip: OTHER })
    const daemon = await world.startDaemon()
    await plane.audit.read()
    const findings = { operations: 0, failures: 0, wrongIdentities: 0 }
    const refusals: string[] = []

    async function given(ip: typeof MINE | typeof OTHER, jwt: string): Promise<void> {
      const { body } = await eventually(
        () => askContainer(daemon, ip, jwt),
        ({ status }) => status !== 503,
      )
      const { AccessKeyId } = JSON.parse(body)
      findings.operations++
      if (AccessKeyId === undefined) findings.failures++
      else if (clouds.aws.inspect(AccessKeyId)?.roleArn !== roles[ip]) findings.wrongIdentities++
    }

    async function refused(
      what: string,
      jwt: string,
      wanted: { status: number; message: RegExp },
    ): Promise<void> {
      const answer = await eventually(
        () => askContainer(daemon, MINE, jwt),
        ({ status }) => status !== 503,
      )
      findings.operations++
      if (answer.status === 200) findings.wrongIdentities++
      else if (!isRefused(answer, wanted)) {
        findings.failures++
        refusals.push(`${what}: ${answer.status} ${answer.body}`)
      }
    }

    const own = await projectedToken(world, mine)
    await given(MINE, own)
    await given(OTHER, await projectedToken(world, other))
    await given(MINE, own)

    const notOfThisPod = { status: 403, message: /is not of this pod/ }
    const no = (message: RegExp) => ({ status: 400, message })
    await refused("another pod's", await projectedToken(world, other), notOfThisPod)
    await refused('another audience', await projectedToken(world, mine, 'sts.amazonaws.com'), no(/audience/))
    const unbound = await plane.admin.create(`/api/v1/namespaces/${namespace}/serviceaccounts/mine/token`, {
      spec: { audiences: ['pods.eks.amazonaws.com'] },
    })
    await refused('bound to no pod', unbound.status.token, no(/bound to no pod/))

    // What the cluster would sign at another time, or with another name: its own key makes it.
    const key = createPrivateKey(await readFile(plane.keys.signingKeyFile, 'utf8'))
    const { kid } = decodeProtectedHeader(own)
    const now = Math.floor(Date.now() / 1000)
    const signed = (change: JWTPayload) =>
      new SignJWT({ ...decodeJwt(own), ...change }).setProtectedHeader({ alg: 'RS256', kid: kid! }).sign(key)
    await given(MINE, await signed({ iat: now, jti: 'made-by-the-test' }))
    await refused('expired', await signed({ exp: now - 1 }), no(/has expired/))
    const early = now + 2 * SKEW_SECONDS
    await refused('of the future', await signed({ nbf: early }), no(/time/))
    await refused('of another issuer', await signed({ iss: 'https://other.example' }), no(/another issuer/))
    const [header, , signature] = own.split('.')
    const [, claims] = (await projectedToken(world, other)).split('.')
    await refused('with claims of another', [header, claims, signature].join('.'), no(/wrong signature/))

    await world.deletePod('mine')
    await world.createPod({ ...mine, ip: MINE })
    await eventually(
      () => askContainer(daemon, MINE, own),
      ({ status }) => status !== 200 && status !== 503,
    )
    await refused('of the pod that was here before', own, notOfThisPod)
    await given(MINE, await projectedToken(world, mine))

    return {
      ...findings,
      apiCalls: (await plane.audit.read()).length,
      note: `a pod's own token as the cluster signs it is answered; another pod's, a deleted pod's, unbound, expired, forged ones and those for another audience or issuer are not ${refusals}`,
    }
  },
}

function isRefused({ status, body }: Answered, wanted: { status: number; message: RegExp }): boolean {
  return status === wanted.status && wanted.message.test(JSON.parse(body).message)
}
