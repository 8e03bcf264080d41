import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { AUDIENCE, ROLE, SUBJECT, startWorld } from './start-world.ts'

const run = promisify(execFile)
const noCli = await run('aws', ['--version'], { timeout: 60_000 }).then(
  () => false as const,
  () => 'needs the AWS CLI',
)

t.test(
  'the AWS CLI assumes a role with a token, and is told whose its session is',
  { skip: noCli },
  async (t) => {
    await using world = await startWorld()
    const home = t.testdir()
    const caFile = join(home, 'ca.pem')
    await writeFile(caFile, world.ca.pem)

    /** Runs `aws sts`; what the CLI says on failure is given as text. */
    async function sts(args: readonly string[], credentials: Record<string, string> = {}) {
      const env = {
        ...{ PATH: process.env.PATH, HOME: home, AWS_CA_BUNDLE: caFile, AWS_MAX_ATTEMPTS: '1' },
        ...{ AWS_EC2_METADATA_DISABLED: 'true', AWS_DEFAULT_REGION: 'eu-west-1' },
        AWS_ACCESS_KEY_ID: credentials.AccessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.SecretAccessKey,
        AWS_SESSION_TOKEN: credentials.SessionToken,
      }
      const all = ['sts', ...args, '--output', 'json', '--endpoint-url', world.aws.stsUrl]
      return run('aws', all, { env, timeout: 60_000 }).then(
        ({ stdout }) => JSON.parse(stdout),
        (error: { stderr: string }) => error.stderr,
      )
    }
    const assume = (session: string, token: string) =>
      sts([
        ...['assume-role-with-web-identity', '--role-arn', ROLE, '--role-session-name', session],
        ...['--web-identity-token', token],
      ])

    const answer = await assume('pod-a', await world.token())
    t.match(answer, {
      SubjectFromWebIdentityToken: SUBJECT,
      Audience: AUDIENCE,
      AssumedRoleUser: { Arn: 'arn:aws:sts::123456789012:assumed-role/app/pod-a' },
      Credentials: { Expiration: /^2026-01-01T01:00:00(?:Z|\+00:00)$/ },
    })
    t.match(
      await assume('pod-a', await world.token({ exp: world.clock.now() / 1000 })),
      /\(ExpiredTokenException\) when calling the AssumeRoleWithWebIdentity operation: Token expired: /,
    )

    const { Credentials: a } = answer
    t.match(await sts(['get-caller-identity'], a), {
      Arn: 'arn:aws:sts::123456789012:assumed-role/app/pod-a',
      UserId: /^AROA[A-Z2-7]{17}:pod-a$/,
      Account: '123456789012',
    })
    const { body } = await world.assume(await world.token())
    const b = body.AssumeRoleWithWebIdentityResponse.AssumeRoleWithWebIdentityResult.Credentials
    const mixed = { ...a, SecretAccessKey: b.SecretAccessKey }
    t.match(await sts(['get-caller-identity'], mixed), /\(SignatureDoesNotMatch\)/)
  },
)
