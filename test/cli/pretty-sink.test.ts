import fc from 'fast-check'
import t from 'tap'
import { prettySink } from '../../src/cli/pretty-sink.ts'
import { createLog } from '../../src/lib/log.ts'
import { Secret } from '../../src/lib/secret.ts'

function lines() {
  const written: string[] = []
  const log = createLog('debug', prettySink({ write: (line) => written.push(line) }))
  return { log, take: () => written.join('') }
}

t.test('a line is time, level, message and fields', async (t) => {
  const { log, take } = lines()
  log.info({ pod: 'a', note: 'two words', count: 3, list: ['x'] }, 'pod seen')
  t.match(take(), /^\d\d:\d\d:\d\d\.\d{3} INFO {2}pod seen pod=a note=two words count=3 list=\["x"\]\n$/)
})

t.test('an error shows its stack, a secret its digest', async (t) => {
  const { log, take } = lines()
  log.error({ err: new Error('broken'), token: new Secret('ya29.hidden') }, 'failed')
  t.match(take(), /ERROR failed token=sha256:[0-9a-f]{12} \n {2}Error: broken\n {2}\s+at /)
  t.notMatch(take(), 'hidden')
})

t.test('nothing that a field holds can steer a terminal or forge a line', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.jsonValue(), (text, value) => {
      const { log, take } = lines()
      log.warn({ text, value }, 'said')
      const printed = take()
      return printed.endsWith('\n') && !/[\x00-\x1f\x7f-\x9f]/.test(printed.slice(0, -1))
    }),
  )
})
