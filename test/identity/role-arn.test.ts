import fc from 'fast-check'
import t from 'tap'
import { parseRoleArn } from '../../src/identity/role-arn.ts'

t.test('a role with and without a path is read', async (t) => {
  t.strictSame(parseRoleArn('arn:aws:iam::123456789012:role/web'), {
    partition: 'aws',
    accountId: '123456789012',
    roleName: 'web',
  })
  t.strictSame(parseRoleArn('arn:aws-iso-b:iam::000000000001:role/team/a=b!/w_+=,.@-'), {
    partition: 'aws-iso-b',
    accountId: '000000000001',
    roleName: 'w_+=,.@-',
  })
})

for (const text of [
  '',
  'web',
  'arn:aws:iam::123456789012:role/',
  'arn:aws:iam::123456789012:role//web',
  'arn:aws:iam::123456789012:role/a//web',
  'arn:aws:iam::123456789012:role/web/',
  'arn:aws:iam::123456789012:user/web',
  'arn:aws:iam::12345678901:role/web',
  'arn:aws:iam::1234567890123:role/web',
  'arn:aws:iam:eu-west-1:123456789012:role/web',
  'arn:aws:sts::123456789012:assumed-role/web/x',
  'arn:gcp:iam::123456789012:role/web',
  'ARN:aws:iam::123456789012:role/web',
  ' arn:aws:iam::123456789012:role/web',
  'arn:aws:iam::123456789012:role/web\n',
  'arn:aws:iam::123456789012:role/we b',
  'arn:aws:iam::123456789012:role/wéb',
  'arn:aws:iam::123456789012:role/a b/web',
  `arn:aws:iam::123456789012:role/${'n'.repeat(65)}`,
  `arn:aws:iam::123456789012:role/${'p'.repeat(512)}/web`,
  `arn:aws:iam::123456789012:role/${'p/'.repeat(600)}web`,
]) {
  t.test(`is no role: ${JSON.stringify(text.slice(0, 60))}`, async (t) =>
    t.equal(parseRoleArn(text), undefined),
  )
}

t.test('what is a role says the same again, and nothing makes the parser throw', async () => {
  const part = fc.stringMatching(/^[A-Za-z0-9_+=,.@-]{1,64}$/)
  fc.assert(
    fc.property(
      fc.stringMatching(/^\d{12}$/),
      fc.array(part, { maxLength: 4 }),
      part,
      (account, path, name) => {
        const text = `arn:aws-cn:iam::${account}:role/${path.map((it) => `${it}/`).join('')}${name}`
        const role = parseRoleArn(text)
        return role?.accountId === account && role.roleName === name && role.partition === 'aws-cn'
      },
    ),
  )
  const pieces = fc.constantFrom('arn', ':', 'aws', 'iam', '/', 'role', '123456789012', 'a', '\n', '…', ' ')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((it) => it.join('')),
      ),
      (text) => {
        const role = parseRoleArn(text)
        return (
          role === undefined ||
          text ===
            `arn:${role.partition}:iam::${role.accountId}:role/${text.slice(text.indexOf(':role/') + 6)}`
        )
      },
    ),
  )
})
