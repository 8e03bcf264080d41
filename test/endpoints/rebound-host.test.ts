import fc from 'fast-check'
import t from 'tap'
import { isReboundHost } from '../../src/endpoints/rebound-host.ts'

t.test('addresses, localhost and the names that a cloud gives are where SDKs dial', async (t) => {
  for (const host of [
    undefined,
    '169.254.169.254',
    '169.254.169.254:80',
    '[fd00:ec2::254]',
    '[fd00:ec2::254]:80',
    '127.0.0.1:8980',
    'localhost:8980',
    'Instance-Data',
  ]) {
    t.notOk(isReboundHost(host, ['instance-data']), String(host))
  }
})

t.test('any other name may be a web page’s', async (t) => {
  for (const host of [
    'a',
    'evil.example',
    'evil.example:80',
    '169.254.169.254.evil.example',
    '[a]',
    'a@b',
    '',
  ]) {
    t.ok(isReboundHost(host, ['instance-data']), host)
  }
  fc.assert(
    fc.property(fc.domain(), (domain) => isReboundHost(domain) && isReboundHost(`${domain}:80`)),
    { numRuns: 300 },
  )
})
