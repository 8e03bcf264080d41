import t from 'tap'
import { createAzureSettling } from '../../src/exchange/azure-settling.ts'
import { FakeClock } from '../support/fake-clock.ts'

t.test('a binding may be too new for five minutes from its first refusal', async (t) => {
  const clock = new FakeClock()
  const settling = createAzureSettling(clock)
  t.equal(settling.missing('a'), true)
  await clock.advance(299_999)
  t.equal(settling.missing('a'), true)
  t.equal(settling.missing('b'), true)
  await clock.advance(1)
  t.equal(settling.missing('a'), false)
  t.equal(settling.missing('b'), true)
  settling.found('a')
  t.equal(settling.missing('a'), true)
})

t.test('what is remembered is bounded', async (t) => {
  const clock = new FakeClock()
  const settling = createAzureSettling(clock)
  settling.missing('first')
  await clock.advance(300_000)
  for (let i = 0; i < 1_024; i++) settling.missing(`other ${i}`)
  t.equal(settling.missing('first'), true)
})
