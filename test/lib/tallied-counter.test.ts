import { Registry } from 'prom-client'
import t from 'tap'
import { TalliedCounter } from '../../src/lib/tallied-counter.ts'

function counter() {
  const registry = new Registry()
  const made = new TalliedCounter({ name: 'n', help: 'h', labelNames: ['a', 'b'], registers: [registry] })
  return { made, registry }
}

t.test('what children and the counter itself were incremented by shows wherever it is read', async (t) => {
  const { made, registry } = counter()
  made.labels('x', 'y').inc()
  made.labels({ a: 'x', b: 'y' }).inc(2)
  made.inc({ a: 'x', b: 'y' }, 4)
  made.labels('x', 'z').inc()
  t.match(await registry.metrics(), /^n\{a="x",b="y"\} 7\nn\{a="x",b="z"\} 1$/m)
})

t.test('a second reading adds nothing, and later increments all they are', async (t) => {
  const { made } = counter()
  const child = made.labels('x', 'y')
  const value = async () => (await made.get()).values[0]?.value
  child.inc()
  t.equal(await value(), 1)
  t.equal(await value(), 1)
  child.inc()
  t.equal(await value(), 2)
})

t.test('a child that was never incremented is not shown', async (t) => {
  const { made } = counter()
  made.labels('x', 'y')
  t.strictSame((await made.get()).values, [])
})

t.test('the same labels have the same child', async (t) => {
  const { made } = counter()
  t.equal(made.labels('x', 'y'), made.labels('x', 'y'))
  t.not(made.labels('x', 'y'), made.labels('y', 'x'))
})
