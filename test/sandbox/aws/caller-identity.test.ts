import t from 'tap'
import { startWorld } from './start-world.ts'

const FORM = 'Action=GetCallerIdentity&Version=2011-06-15'

/** The credentials of a new session. */
async function sessionOf(world: Awaited<ReturnType<typeof startWorld>>, RoleSessionName: string) {
  const { body } = await world.assume(await world.token(), { RoleSessionName })
  return body.AssumeRoleWithWebIdentityResponse.AssumeRoleWithWebIdentityResult.Credentials
}

t.test('a request that no living session signed is refused', async (t) => {
  await using world = await startWorld()
  const [a, b] = [await sessionOf(world, 'pod-a'), await sessionOf(world, 'pod-b')]
  const ask = async (accessKeyId: string, sessionToken: string, headers: Record<string, string> = {}) => {
    const { status, body } = await world.send(
      {},
      {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        'x-amz-date': '20260101T000000Z',
        'x-amz-security-token': sessionToken,
        authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260101/eu-west-1/sts/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
        ...headers,
      },
      FORM,
    )
    return `${status} ${body.Error.Code}`
  }
  t.equal(await ask(a.AccessKeyId, a.SessionToken), '403 SignatureDoesNotMatch')
  t.equal(await ask(a.AccessKeyId, b.SessionToken), '403 InvalidClientTokenId', "another session's token")
  t.equal(await ask('ASIAAAAAAAAAAAAAAAAA', a.SessionToken), '403 InvalidClientTokenId')
  t.equal(await ask(a.AccessKeyId, a.SessionToken, { authorization: 'Bearer x' }), '400 IncompleteSignature')
  t.equal(
    await ask(a.AccessKeyId, a.SessionToken, { 'x-amz-date': '20260102T000000Z' }),
    '400 IncompleteSignature',
  )
  const unsigned = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' }
  t.match(await world.send({}, unsigned, FORM), {
    status: 403,
    body: { Error: { Code: 'MissingAuthenticationToken' } },
  })
  await world.clock.advance(3_600_000)
  t.equal(await ask(a.AccessKeyId, a.SessionToken), '403 ExpiredToken')
})
