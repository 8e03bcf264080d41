import fc from 'fast-check'
import t from 'tap'
import { nearest } from '../../src/config/nearest.ts'
import { parseDuration } from '../../src/config/parse-duration.ts'
import { isWildcard, parseListenAddress } from '../../src/config/parse-listen-address.ts'

t.test('durations', async (t) => {
  for (const [text, ms] of [
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['0s', 0],
    ['90', 90_000],
    [90, 90_000],
  ] as const) {
    t.equal(parseDuration(text), ms, String(text))
  }
  for (const wrong of [
    '',
    's',
    '-1s',
    '1.5s',
    '1 s',
    '1d',
    '1ms',
    '1h30m',
    '999999999s',
    '9000h',
    ' 1s',
    '1s\n',
    -1,
    1.5,
    Number.NaN,
    Infinity,
  ]) {
    t.equal(parseDuration(wrong), undefined, JSON.stringify(wrong))
  }
  fc.assert(fc.property(fc.nat(31_536_000), (seconds) => parseDuration(`${seconds}s`) === seconds * 1_000))
  fc.assert(fc.property(fc.string(), (text) => (parseDuration(text) ?? 0) >= 0))
})

t.test('addresses to listen on', async (t) => {
  t.strictSame(parseListenAddress('169.254.169.252:988'), { host: '169.254.169.252', port: 988 })
  t.strictSame(parseListenAddress('[FD00:0::1]:0'), { host: 'fd00::1', port: 0 })
  t.strictSame(parseListenAddress('[::ffff:10.0.0.1]:80'), { host: '10.0.0.1', port: 80 })
  for (const wrong of [
    '',
    ':80',
    '80',
    '1.2.3.4',
    '1.2.3.4:',
    '1.2.3.4:65536',
    '::1:80',
    '[::1]',
    '[1.2.3.4]x:80',
    '010.1.1.1:80',
    'localhost:80',
    '1.2.3.4:80 ',
  ]) {
    t.equal(parseListenAddress(wrong), undefined, wrong)
  }
  fc.assert(
    fc.property(fc.ipV4(), fc.nat(65_535), (host, port) => {
      const address = parseListenAddress(`${host}:${port}`)
      return address?.host === host && address.port === port
    }),
  )
  fc.assert(fc.property(fc.ipV6(), (host) => parseListenAddress(`[${host}]:1`)?.port === 1))
  fc.assert(fc.property(fc.string(), (text) => (parseListenAddress(text)?.port ?? 0) <= 65_535))
})

t.test('every spelling of every address is a wildcard', async (t) => {
  for (const text of ['0.0.0.0:1', '[::]:1', '[0:0:0:0:0:0:0:0]:1', '[::ffff:0.0.0.0]:1']) {
    t.ok(isWildcard(parseListenAddress(text)!.host), text)
  }
  t.notOk(isWildcard(parseListenAddress('10.0.0.0:1')!.host))
})

t.test('the nearest word is the one with the fewest changes, if they are few', async (t) => {
  t.equal(nearest('projctId', ['projectId', 'projectNumber']), 'projectId')
  t.equal(nearest('project_id', ['projectId', 'projectNumber']), 'projectId')
  t.equal(nearest('PROJECTID', ['projectId']), 'projectId')
  t.equal(nearest('zzz', ['projectId']), undefined)
  t.equal(nearest('x'.repeat(1_000_000), ['x']), undefined)
  fc.assert(fc.property(fc.string({ maxLength: 64 }), (word) => nearest(word, [word]) === word))
})
