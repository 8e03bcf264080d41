import fc from 'fast-check'
import t from 'tap'
import { passthroughRefusal } from '../../src/config/passthrough-path.ts'

const ROOT = '/computeMetadata/v1'

for (const path of [
  'instance/machine-type',
  'instance/attributes/my-own',
  'instance/disks/0/device-name',
  'project/attributes/team',
]) {
  t.test(`allows ${path}`, async (t) => t.equal(passthroughRefusal(`${ROOT}/${path}`), undefined))
}

for (const path of [
  'instance/service-accounts/default/token',
  'instance/service-accounts',
  'instance/Service-Accounts/default/email',
  'instance/credentials/certs',
  'instance/gce-workload-certificates/workload-identities',
  'instance/guest-attributes/guestInventory/Hostname',
  'instance/attributes/kube-env',
  'instance/attributes/user-data',
  'instance/attributes/startup-script-url',
  'instance/attributes/windows-startup-script-ps1',
  'instance/attributes/ssh-keys',
  'project/attributes/sshKeys',
  'oslogin/users',
  'somewhere/new/token',
  'somewhere/new/identity',
  'instance',
  'instance/attributes',
  'project',
  'project/attributes',
]) {
  t.test(`never lets ${path} pass`, async (t) =>
    t.match(passthroughRefusal(`${ROOT}/${path}`), /credentials|secrets/),
  )
}

for (const path of [
  '',
  '/',
  'instance/machine-type',
  '/computeMetadata/v1beta1/instance/machine-type',
  '/computemetadata/v1/instance/machine-type',
  '/0.1/meta-data/hostname',
  `${ROOT}/`,
  `${ROOT}/instance/`,
  `${ROOT}//instance/machine-type`,
  `${ROOT}/instance/./machine-type`,
  `${ROOT}/instance/../instance/service-accounts/default/token`,
  `${ROOT}/instance/%6dachine-type`,
  `${ROOT}/instance\\machine-type`,
  `${ROOT}/instance/machine-type?recursive=true`,
  `${ROOT}/instance/machine-type#x`,
  `${ROOT}/instance/*`,
  `${ROOT}/instance/machine-type\n`,
  `http://metadata${ROOT}/instance/machine-type`,
]) {
  t.test(`refuses the spelling ${JSON.stringify(path)}`, async (t) =>
    t.match(passthroughRefusal(path), /must b/),
  )
}

t.test('whatever is allowed is its own canonical form and nowhere near a secret', async () => {
  const segment = fc.constantFrom(
    'instance',
    'service-accounts',
    'default',
    'token',
    '..',
    '.',
    '',
    '%2e',
    'attributes',
    'kube-env',
    'x',
  )
  const path = fc.array(segment, { maxLength: 6 }).map((segments) => `${ROOT}/${segments.join('/')}`)
  fc.assert(
    fc.property(path, (path) => {
      if (passthroughRefusal(path) !== undefined) return true
      return (
        new URL(path, 'http://x').pathname === path &&
        !/service-accounts|token|instance\/attributes\/kube-env/.test(path)
      )
    }),
    { numRuns: 20_000 },
  )
})
