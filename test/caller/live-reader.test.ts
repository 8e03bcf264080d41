import t from 'tap'
import { LiveReader } from '../../src/caller/live-reader.ts'
import type { Pod } from '../../src/kubernetes/types.ts'
import { MetadatadError } from '../../src/lib/errors.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { pod } from './build.ts'

/** A reader whose reads the test answers one by one. */
function reading() {
  const clock = new FakeClock()
  const metrics = createMetrics()
  const reads: PromiseWithResolvers<readonly Pod[]>[] = []
  const reader = new LiveReader({
    clock,
    metrics,
    random: () => 0.5,
    list: () => {
      const read = Promise.withResolvers<readonly Pod[]>()
      reads.push(read)
      return read.promise
    },
  })
  return { clock, metrics, reads, reader }
}

function unavailable(retryAfterMs?: number): MetadatadError {
  return new MetadatadError('KUBERNETES_UNAVAILABLE', 'down', {
    fault: 'upstream',
    retryable: true,
    publicMessage: 'Down.',
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}

t.test('all who ask before a read is sent share it', async (t) => {
  const { reads, reader, metrics } = reading()
  const mark = reader.mark()
  const asked = Array.from({ length: 1_000 }, () => reader.readSince(mark))
  await settle()
  t.equal(reads.length, 1)
  reads[0]!.resolve([pod('a')])
  const answers = await Promise.all(asked)
  t.equal(new Set(answers).size, 1)
  t.equal(reader.last, answers[0])
  t.equal(await reader.readSince(mark), answers[0], 'and so do those who come later with an old mark')
  t.match(await metrics.registry.metrics(), /metadatad_live_reads_total\{outcome="ok"\} 1\n/)
})

t.test('a read that was sent before the mark was taken is not an answer', async (t) => {
  const { clock, reads, reader } = reading()
  const first = reader.readSince(reader.mark())
  await settle()
  const mark = reader.mark()
  const late = Array.from({ length: 10 }, () => reader.readSince(mark))
  reads[0]!.resolve([pod('a')])
  t.same(
    (await first).pods.map(({ name }) => name),
    ['a'],
  )
  await clock.advance(1_000)
  t.equal(reads.length, 2)
  reads[1]!.resolve([pod('b')])
  for (const { pods } of await Promise.all(late)) t.equal(pods[0]!.name, 'b')
})

t.test('never more than one read is in progress, whenever one asks', async (t) => {
  const { clock, reads, reader } = reading()
  let answered = 0
  const ask = () => void reader.readSince(reader.mark()).then(() => answered++)
  ask()
  await settle()
  ask()
  reads[0]!.resolve([])
  // In each of the turns in which the end of the first is passed on.
  for (let turn = 0; turn < 10; turn++) {
    ask()
    await Promise.resolve()
  }
  await clock.advance(1_000)
  t.equal(reads.length, 2)
  reads[1]!.resolve([])
  await settle()
  t.equal(answered, 12)
})

t.test('however many ask one after the other, no more than 50 reads a second are sent', async (t) => {
  const { clock, reads, reader } = reading()
  for (let ms = 0; ms < 1_000; ms++) {
    reader.readSince(reader.mark()).catch(() => {})
    await settle()
    reads.at(-1)?.resolve([])
    await clock.advance(1)
  }
  t.ok(reads.length >= 48 && reads.length <= 51, String(reads.length))
})

t.test('after failures the pauses grow, up to two seconds, and end with the first success', async (t) => {
  const { clock, reads, reader } = reading()
  const pauses: number[] = []
  for (let failure = 0; failure < 8; failure++) {
    const read = reader.readSince(reader.mark())
    const askedAt = clock.now()
    await settle()
    while (reads.length === failure) await clock.advance(1)
    pauses.push(clock.now() - askedAt)
    reads[failure]!.reject(unavailable())
    await t.rejects(read, { code: 'CALLER_UNCONFIRMED', retryable: true, cause: { message: 'down' } })
  }
  t.same(pauses, [0, 75, 150, 300, 600, 1_200, 1_500, 1_500])
  const read = reader.readSince(reader.mark())
  await clock.advance(2_000)
  reads[8]!.resolve([])
  await read
  const next = reader.readSince(reader.mark())
  await clock.advance(50)
  reads[9]!.resolve([])
  t.ok(await next)
})

t.test('a server that says when to come back is not asked before, within reason', async (t) => {
  for (const [saysMs, waitsMs] of [
    [1_000, 1_000],
    [3_600_000, 5_000],
  ] as const) {
    const { clock, reads, reader } = reading()
    const first = reader.readSince(reader.mark())
    await settle()
    reads[0]!.reject(unavailable(saysMs))
    await t.rejects(first, { code: 'CALLER_UNCONFIRMED' })
    reader.readSince(reader.mark()).catch(() => {})
    await clock.advance(waitsMs - 1)
    t.equal(reads.length, 1)
    await clock.advance(1)
    t.equal(reads.length, 2)
  }
})

t.test('a failure is no answer for those who asked after it was sent', async (t) => {
  const { clock, reads, reader, metrics } = reading()
  const first = reader.readSince(reader.mark())
  await settle()
  const second = reader.readSince(reader.mark())
  reads[0]!.reject(new Error('boom'))
  await t.rejects(first, { code: 'CALLER_UNCONFIRMED' })
  await clock.advance(1_000)
  reads[1]!.resolve([pod('a')])
  t.equal((await second).pods.length, 1)
  t.match(await metrics.registry.metrics(), /metadatad_live_reads_total\{outcome="error"\} 1\n/)
})

t.test('a clock that was set back makes no pause longer', async (t) => {
  const { clock, reads, reader } = reading()
  const first = reader.readSince(reader.mark())
  await settle()
  reads[0]!.resolve([])
  await first
  await clock.advance(-3_600_000)
  reader.readSince(reader.mark()).catch(() => {})
  await clock.advance(20)
  t.equal(reads.length, 2)
})
