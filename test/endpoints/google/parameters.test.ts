import fc from 'fast-check'
import t from 'tap'
import { createHostCheck } from '../../../src/endpoints/google/host-check.ts'
import { requestedAudience } from '../../../src/endpoints/google/requested-audience.ts'
import { requestedScopes } from '../../../src/endpoints/google/requested-scopes.ts'
import { parseTreeQuery } from '../../../src/endpoints/google/tree-query.ts'
import { MetadatadError } from '../../../src/lib/errors.ts'

function scopes(query: string): readonly string[] {
  return requestedScopes(new URLSearchParams(query))
}

/** True if `fn` returns, or throws the refusal that a client may be shown. */
function isTotal(fn: () => unknown): boolean {
  try {
    fn()
    return true
  } catch (error) {
    return error instanceof MetadatadError && error.code === 'REQUEST_INVALID' && !error.retryable
  }
}

t.test('scopes are read from one parameter or several, with escaped commas or plain ones', async (t) => {
  for (const query of ['', 'scopes=', 'scopes=,,', 'x=a']) t.strictSame(scopes(query), [], query)
  for (const query of ['scopes=b,a', 'scopes=b%2Ca,', 'scopes=b&x=1&scopes=,a']) {
    t.strictSame(scopes(query), ['b', 'a'], query)
  }
})

t.test('scopes of more than 4 KiB are refused', async (t) => {
  t.strictSame(scopes(`scopes=${'a'.repeat(4096)}`).length, 1)
  t.throws(() => scopes(`scopes=${'a'.repeat(4097)}`), { code: 'REQUEST_INVALID' })
})

t.test('any query is parsed or refused', async () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'scopes=',
      'audience=',
      'recursive=true',
      'wait_for_change=TRUE',
      'timeout_sec=',
      'alt=',
      '%',
      '%00',
      '&',
      '=',
    ),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const query = pieces.join('&')
      return (
        isTotal(() => scopes(query)) &&
        isTotal(() => requestedAudience(new URLSearchParams(query))) &&
        isTotal(() => parseTreeQuery(query))
      )
    }),
    { numRuns: 500 },
  )
})

t.test('an audience is bounded in bytes and has no control character', async (t) => {
  const audience = (value: string) => requestedAudience(new URLSearchParams({ audience: value }))
  t.equal(audience('https://svc.example/?q=ü'), 'https://svc.example/?q=ü')
  t.equal(audience('a'.repeat(2048)).length, 2048)
  for (const bad of ['', 'a'.repeat(2049), 'ü'.repeat(1025), 'a\nb', 'a\x7f']) {
    t.throws(() => audience(bad), { code: 'REQUEST_INVALID', fault: 'caller' })
  }
})

t.test('a poll waits an hour unless it says less', async (t) => {
  t.equal(parseTreeQuery('').wait, undefined)
  t.equal(parseTreeQuery('wait_for_change=1').wait, undefined)
  t.strictSame(parseTreeQuery('wait_for_change=true').wait, { lastEtag: undefined, timeoutMs: 3_600_000 })
  t.strictSame(parseTreeQuery('wait_for_change=True&last_etag=0&timeout_sec=7').wait, {
    lastEtag: '0',
    timeoutMs: 7000,
  })
  t.equal(parseTreeQuery('wait_for_change=true&timeout_sec=999999999').wait?.timeoutMs, 3_600_000)
  for (const bad of ['-1', '1.5', 'x', '', '1e3']) {
    t.throws(() => parseTreeQuery(`wait_for_change=true&timeout_sec=${bad}`), { code: 'REQUEST_INVALID' })
  }
})

t.test('a Host is good if it names the server, the listener or what the operator listed', async (t) => {
  const good = createHostCheck(['Proxy.Example', 'fd00::0:1'])
  t.ok(good('proxy.example:8080', '10.0.0.1'))
  t.ok(good('PROXY.EXAMPLE.', '10.0.0.1'))
  t.ok(good('[fd00::1]:80', '10.0.0.1'))
  t.ok(good('10.0.0.1:988', '10.0.0.1'))
  t.ok(good('[fe80::2]', 'fe80::2'))
  t.ok(good(undefined, '10.0.0.1'))
  for (const bad of [
    '',
    ':80',
    '10.0.0.2',
    '[10.0.0.2]',
    'metadata..',
    'metadata:80:80',
    'x.metadata',
    '[fd20:ce::254',
    'metadata/',
  ]) {
    t.notOk(good(bad, '10.0.0.1'), bad)
  }
})

t.test('any Host is judged', async () => {
  const good = createHostCheck([])
  const host = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.domain(),
    fc.ipV6().map((ip) => `[${ip}]`),
    fc.ipV4(),
  )
  fc.assert(
    fc.property(host, (value) => !good(value, '10.0.0.1') || /254|252|10\.0\.0\.1|metadata/.test(value)),
  )
})
