import fc from 'fast-check'
import t from 'tap'
import { retryAfterMs } from '../../src/exchange/retry-after.ts'

const now = Date.UTC(2026, 0, 1, 12, 0, 0)

t.test('seconds are read', async (t) => {
  t.equal(retryAfterMs('0', now), 0)
  t.equal(retryAfterMs(' 3 ', now), 3_000)
  t.equal(retryAfterMs('99999999999999999999999', now), 600_000)
})

t.test('a date is read as the time until then', async (t) => {
  t.equal(retryAfterMs('Thu, 01 Jan 2026 12:00:30 GMT', now), 30_000)
  t.equal(retryAfterMs('Thu, 01 Jan 2026 11:00:00 GMT', now), 0)
  t.equal(retryAfterMs('Fri, 01 Jan 2027 12:00:00 GMT', now), 600_000)
})

t.test('anything else is as if it were not there', async (t) => {
  for (const text of [
    undefined,
    '',
    '-1',
    '1.5',
    '1e3',
    'soon',
    '2026-01-01T12:00:30Z',
    'Thu, 99 Jan 2026 12:00:00 GMT',
  ]) {
    t.equal(retryAfterMs(text, now), undefined, String(text))
  }
})

t.test('every date within ten minutes survives the way there and back', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 600 }), (seconds) => {
      return retryAfterMs(new Date(now + seconds * 1000).toUTCString(), now) === seconds * 1000
    }),
  )
})

t.test('no header makes a wait that is negative, endless or no number', async () => {
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789') })
  fc.assert(
    fc.property(fc.oneof(fc.string(), digits), (text) => {
      const wait = retryAfterMs(text, now)
      return wait === undefined || (wait >= 0 && wait <= 600_000)
    }),
  )
})
