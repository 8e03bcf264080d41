import fc from 'fast-check'
import t from 'tap'
import { AssertionError } from '../../../src/sandbox/assertion-error.ts'
import { base32 } from '../../../src/sandbox/aws/base32.ts'
import { parseAssumeRole } from '../../../src/sandbox/aws/parse-assume-role.ts'
import { parseRoleArn } from '../../../src/sandbox/aws/parse-role-arn.ts'
import { requestSignature } from '../../../src/sandbox/aws/request-signature.ts'
import { StsError } from '../../../src/sandbox/aws/sts-error.ts'
import { decodeAssertion } from '../../../src/sandbox/decode-assertion.ts'

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', 'x', '900', '-1', '1e3', 'arn:aws:iam::1:role/x'),
)

t.test('any parameters are read or refused, and read ones are within their bounds', async (t) => {
  const parameters = fc.dictionary(
    fc.constantFrom('RoleArn', 'RoleSessionName', 'WebIdentityToken', 'DurationSeconds', 'other'),
    fc.oneof(anyText, fc.string({ minLength: 20, maxLength: 70 }), fc.integer().map(String)),
  )
  fc.assert(
    fc.property(parameters, (fields) => {
      try {
        const read = parseAssumeRole(new URLSearchParams(fields))
        return (
          read.durationSeconds >= 900 &&
          read.durationSeconds <= 43_200 &&
          /^[\w+=,.@-]{2,64}$/.test(read.roleSessionName) &&
          read.roleArn.length >= 20
        )
      } catch (error) {
        return error instanceof StsError && error.code === 'ValidationError'
      }
    }),
  )
  t.pass()
})

t.test('the ARN of a role is read back as it was written, and any other text is none', async (t) => {
  const segment = fc.stringMatching(/^[\w+=,.@-]{1,20}$/)
  fc.assert(
    fc.property(
      fc.constantFrom('aws', 'aws-cn', 'aws-us-gov', 'aws-iso-b', 'aws-eusc'),
      fc.stringMatching(/^\d{12}$/),
      fc.array(segment, { maxLength: 3 }),
      segment,
      (partition, accountId, path, name) => {
        const read = parseRoleArn(`arn:${partition}:iam::${accountId}:role/${[...path, name].join('/')}`)
        return read?.partition === partition && read.accountId === accountId && read.name === name
      },
    ),
  )
  fc.assert(fc.property(anyText, (text) => parseRoleArn(text) === undefined))
  for (const text of ['', 'user/x', 'role/', 'role//x', 'role/x y', 'role/é', `role/${'x'.repeat(65)}`])
    t.equal(parseRoleArn(`arn:aws:iam::123456789012:${text}`), undefined, text)
})

t.test('any authorization is read or refused', async (t) => {
  const url = new URL('https://localhost/')
  fc.assert(
    fc.property(anyText, anyText, (authorization, time) => {
      try {
        requestSignature({ method: 'POST', url, headers: { authorization, 'x-amz-date': time }, body: '' })
        return false
      } catch (error) {
        return error instanceof StsError && error.code === 'IncompleteSignature'
      }
    }),
  )
  t.pass()
})

t.test('any text is an assertion or a refusal', async (t) => {
  const part = fc.oneof(
    fc.json().map((json) => Buffer.from(json).toString('base64url')),
    fc.string(),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
      try {
        return typeof decodeAssertion(parts.join('.')) === 'object'
      } catch (error) {
        return error instanceof AssertionError && error.fault === 'malformed'
      }
    }),
  )
  t.pass()
})

t.test('base32 is that of RFC 4648 as far as whole characters go', async (t) => {
  for (const [text, encoded] of [
    ['', ''],
    ['f', 'M'],
    ['fo', 'MZX'],
    ['foobar', 'MZXW6YTBO'],
    ['fooba', 'MZXW6YTB'],
  ] as const)
    t.equal(base32(Buffer.from(text)), encoded)
})
