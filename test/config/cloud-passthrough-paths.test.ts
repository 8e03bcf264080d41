import fc from 'fast-check'
import t from 'tap'
import { awsPassthroughRefusal } from '../../src/config/aws-passthrough-path.ts'
import { azurePassthroughRefusal } from '../../src/config/azure-passthrough-path.ts'

const AWS = '/latest/meta-data'
const AZURE = '/metadata/instance/compute'

for (const path of [
  `${AWS}/spot/instance-action`,
  `${AWS}/network/interfaces/macs/02:29:96:8f:6a:2d/vpc-id`,
  `${AWS}/tags/instance/Name`,
  '/latest/dynamic/fws/instance-monitoring',
]) {
  t.test(`allows ${path}`, async (t) => t.equal(awsPassthroughRefusal(path), undefined))
}

for (const path of [`${AZURE}/platformFaultDomain`, '/metadata/instance/network/interface/0/macAddress']) {
  t.test(`allows ${path}`, async (t) => t.equal(azurePassthroughRefusal(path), undefined))
}

for (const path of [
  `${AWS}/iam/security-credentials/node`,
  `${AWS}/iam`,
  `${AWS}/IAM/info`,
  `${AWS}/identity-credentials/ec2/security-credentials/ec2-instance`,
  `${AWS}/public-keys/0/openssh-key`,
  `${AWS}/managed-ssh-keys/signer-cert`,
  `${AWS}/somewhere/user-data`,
  '/latest/dynamic/instance-identity/document',
  '/latest/dynamic/instance-identity/pkcs7',
]) {
  t.test(`never lets ${path} pass`, async (t) => t.match(awsPassthroughRefusal(path), /never passes/))
}

for (const path of [
  `${AZURE}/userData`,
  `${AZURE}/customData`,
  `${AZURE}/publicKeys/0/keyData`,
  `${AZURE}/osProfile/adminUsername`,
]) {
  t.test(`never lets ${path} pass`, async (t) => t.match(azurePassthroughRefusal(path), /never passes/))
}

for (const path of [
  '',
  '/latest/user-data',
  '/latest/meta-data',
  '/latest/meta-data/',
  '/latest/api/token',
  '/2009-04-04/meta-data/hostname',
  `${AWS}/hostname/`,
  `${AWS}//hostname`,
  `${AWS}/./hostname`,
  `${AWS}/../user-data`,
  `${AWS}/%69am/info`,
  `${AWS}/hostname?x`,
  `${AWS}/hostname\n`,
  `${AWS}\\hostname`,
]) {
  t.test(`aws: refuses ${JSON.stringify(path)}`, async (t) => t.type(awsPassthroughRefusal(path), 'string'))
}

for (const path of [
  '',
  '/metadata/identity/oauth2/token',
  '/metadata/attested/document',
  '/metadata/scheduledevents',
  '/metadata/instance',
  '/metadata/instance/compute',
  '/METADATA/instance/compute/name',
  `${AZURE}/`,
  `${AZURE}/name/`,
  `${AZURE}/../../identity/oauth2/token`,
  `${AZURE}/name?api-version=2021-02-01`,
]) {
  t.test(`azure: refuses ${JSON.stringify(path)}`, async (t) =>
    t.type(azurePassthroughRefusal(path), 'string'),
  )
}

t.test('what is allowed has one spelling, and no secret in it', async () => {
  const segment = fc.oneof(
    fc.string({ maxLength: 6 }),
    fc.constantFrom('iam', 'user-data', 'userData', '..', '.', '', 'a', 'identity', 'publicKeys', 'TOKEN'),
  )
  const paths = fc
    .tuple(fc.constantFrom(AWS, AZURE, '/latest/dynamic', ''), fc.array(segment, { maxLength: 4 }))
    .map(([root, segments]) => [root, ...segments].join('/'))
  fc.assert(
    fc.property(paths, (path) => {
      const aws = awsPassthroughRefusal(path) === undefined
      const azure = azurePassthroughRefusal(path) === undefined
      if (!aws && !azure) return true
      return (
        new URL(path, 'http://x').pathname === path &&
        (!aws || !/\/(?:iam|user-data|token)(?:\/|$)/i.test(path)) &&
        (!azure || !/\/(?:userData|publicKeys|token)(?:\/|$)/i.test(path))
      )
    }),
  )
})
