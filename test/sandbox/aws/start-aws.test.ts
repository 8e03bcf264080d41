import t from 'tap'
import { startWorld } from './start-world.ts'

t.test('an unknown action, version, path or body is refused as the Query API does', async (t) => {
  await using world = await startWorld()
  const token = await world.token()
  const cases: [fields: Record<string, string | undefined>, code: string, message: RegExp][] = [
    [{ Action: undefined }, 'MissingAction', /Action/],
    [{ Action: 'AssumeRole' }, 'InvalidAction', /AssumeRole for version 2011-06-15$/],
    [{ Version: '2010-01-01' }, 'InvalidAction', /for version 2010-01-01$/],
    [{ Version: undefined }, 'InvalidAction', /for version NO_VERSION_SPECIFIED$/],
  ]
  for (const [fields, Code, Message] of cases) {
    t.match(await world.assume(token, fields), { status: 400, body: { Error: { Code, Message } } })
  }
  const headers = { accept: 'application/json', 'content-type': 'text/plain' }
  t.match(await world.send({}, headers, 'Action=GetCallerIdentity'), {
    body: { Error: { Code: 'MissingAction' } },
  })
  t.equal((await world.send({ method: 'GET' })).status, 400)
  t.match((await world.send({ path: '/x' }, headers, '')).body, { Error: { Code: 'MissingAction' } })
})

t.test('parameters may come in the query string', async (t) => {
  await using world = await startWorld()
  const query = new URLSearchParams({
    ...{ Action: 'AssumeRoleWithWebIdentity', Version: '2011-06-15', RoleSessionName: 'session' },
    ...{ RoleArn: 'arn:aws:iam::123456789012:role/team/app', WebIdentityToken: await world.token() },
  })
  t.equal((await world.send({ method: 'GET', path: `/?${query}` })).status, 200)
})

t.test('an error in XML keeps its form whatever the client put into it', async (t) => {
  await using world = await startWorld()
  const { status, headers, text } = await world.assume(
    'tokens',
    { RoleSessionName: '<a>&"\u0001\ud83d\ude00' },
    { accept: 'text/xml' },
  )
  t.equal(status, 400)
  t.equal(headers['content-type'], 'text/xml')
  t.match(
    text,
    /^<ErrorResponse xmlns="https:\/\/sts\.amazonaws\.com\/doc\/2011-06-15\/"><Error><Type>Sender<\/Type><Code>ValidationError<\/Code><Message>[^<]*<\/Message><\/Error><RequestId>[\w-]{36}<\/RequestId><\/ErrorResponse>\n$/,
  )
  t.match(text, "'&#60;a&#62;&#38;&#34;\ufffd\ud83d\ude00'")
})

t.test('a scenario refuses the next calls in the words of STS, then lets them through', async (t) => {
  await using world = await startWorld()
  const { aws } = world
  const token = await world.token()
  aws.failNext('Throttling', 2)
  const throttled = {
    status: 400,
    body: { Error: { Type: 'Sender', Code: 'Throttling', Message: 'Rate exceeded' } },
  }
  t.match(await world.assume(token), throttled)
  t.match(await world.assume(token), throttled)
  t.equal((await world.assume(token)).status, 200)
  aws.failNext('ServiceUnavailable', Number.POSITIVE_INFINITY)
  for (let n = 0; n < 3; n++)
    t.match(await world.assume(token), { status: 503, body: { Error: { Type: 'Receiver' } } })
  aws.failNext('RegionDisabledException')
  t.equal((await world.assume(token)).status, 403)
  aws.failNext('AccessDenied', 0)
  t.equal((await world.assume(token)).status, 200)
  t.same(Object.fromEntries(aws.calls), { assumeRoleWithWebIdentity: 8, jwks: 1 })
})

t.test('an injected answer is given instead, and an outage resets connections', async (t) => {
  await using world = await startWorld()
  const { aws } = world
  const token = await world.token()
  const seen: unknown[] = []
  aws.intercept = (call, body) => {
    seen.push([call, (body as Record<string, string>).RoleSessionName])
    return { status: 200, headers: { 'content-type': 'text/xml' }, body: '<AssumeRole' }
  }
  t.match(await world.assume(token), { status: 200, text: '<AssumeRole' })
  t.same(seen, [['assumeRoleWithWebIdentity', 'ns.app-0']])
  aws.intercept = undefined
  aws.outage = true
  t.ok(aws.outage)
  await t.rejects(world.assume(token))
  aws.outage = false
  t.equal((await world.assume(token)).status, 200)
})
