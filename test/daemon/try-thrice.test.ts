import t from 'tap'
import { tryThrice } from '../../src/daemon/try-thrice.ts'
import { MetadatadError } from '../../src/lib/errors.ts'

/** Fails as often as is said, and counts. */
function failing(times: number, retryable: boolean) {
  const seen = { tries: 0 }
  const work = async () => {
    seen.tries++
    if (seen.tries > times) return 'done'
    throw new MetadatadError('INTERCEPT_FAILED', `try ${seen.tries}`, {
      retryable,
      fault: 'ours',
      publicMessage: '',
    })
  }
  return { seen, work }
}

t.test('what may pass is tried three times', async (t) => {
  const twice = failing(2, true)
  t.equal(await tryThrice(twice.work), 'done')
  t.equal(twice.seen.tries, 3)
  const ever = failing(9, true)
  await t.rejects(tryThrice(ever.work), { message: 'try 3' })
  t.equal(ever.seen.tries, 3)
})

t.test('what may not pass is tried once', async (t) => {
  const once = failing(1, false)
  await t.rejects(tryThrice(once.work), { message: 'try 1' })
  t.equal(once.seen.tries, 1)
})
