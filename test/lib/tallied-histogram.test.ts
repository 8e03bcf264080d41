import fc from 'fast-check'
import { Histogram, Registry } from 'prom-client'
import t from 'tap'
import { TalliedHistogram } from '../../src/lib/tallied-histogram.ts'

const OPTIONS = { name: 'n', help: 'h', labelNames: ['l'] as const, buckets: [0.1, 1, 10] }

function lines(page: string): string[] {
  return page
    .split('\n')
    .map((line) => line.replace(/\{(.*)\}/, (_, labels: string) => `{${labels.split(',').sort().join(',')}}`))
}

t.test("its page is the one that prom-client's own histogram has", async (t) => {
  const observations = fc.array(
    fc.tuple(fc.constantFrom('a', 'b'), fc.oneof(fc.constantFrom(0, 0.1, 1, 10, 11), fc.nat(100))),
  )
  await fc.assert(
    fc.asyncProperty(observations, async (observed) => {
      const [own, theirs] = [new Registry(), new Registry()]
      const histogram = new TalliedHistogram({ ...OPTIONS, registers: [own] })
      const reference = new Histogram({ ...OPTIONS, registers: [theirs] })
      for (const [label, value] of observed) {
        histogram.labels(label).observe(value)
        reference.labels(label).observe(value)
      }
      t.strictSame(lines(await own.metrics()), lines(await theirs.metrics()))
    }),
  )
})

t.test('the same label has the same child', async (t) => {
  const histogram = new TalliedHistogram({ ...OPTIONS, registers: [] })
  t.equal(histogram.labels('a'), histogram.labels('a'))
  t.not(histogram.labels('a'), histogram.labels('b'))
})
