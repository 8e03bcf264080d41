import fc from 'fast-check'
import t from 'tap'
import { parseFieldSelector } from '../../../src/sandbox/kubernetes/field-selector.ts'
import { continueToken, parseListOptions } from '../../../src/sandbox/kubernetes/list-options.ts'
import { chooseRepresentation } from '../../../src/sandbox/kubernetes/representation.ts'
import { PODS } from '../../../src/sandbox/kubernetes/resources.ts'
import { parseRoute } from '../../../src/sandbox/kubernetes/route.ts'
import { StatusError } from '../../../src/sandbox/kubernetes/status-error.ts'
import { parseBody } from '../../../src/sandbox/parse-body.ts'

/** Runs a parser on anything; only a refusal with a client's status may come out of it. */
function totally(parse: (text: string) => unknown): void {
  const fragment = fc.constantFrom(
    'pods',
    'watch',
    'spec.nodeName',
    '=',
    '!=',
    ',',
    ';',
    '&',
    '/',
    '%',
    'api',
    'v1',
    'as',
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fragment).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(text, (input) => {
      try {
        parse(input)
      } catch (error) {
        if (!(error instanceof StatusError) || error.code < 400 || error.code >= 500) throw error
      }
    }),
  )
}

t.test('whatever a client sends is read or refused, never a failure', async () => {
  totally((text) => parseFieldSelector(PODS, text))
  totally((text) => parseListOptions(new URLSearchParams(text), false, true))
  totally((text) => parseListOptions(new URLSearchParams({ continue: text, limit: text }), true, true))
  totally((text) => chooseRepresentation(text, true))
  totally((text) => parseBody('application/json', text))
  totally((text) => {
    const url = URL.parse(`/${text}`, 'https://localhost')
    return url && parseRoute('GET', url)
  })
})

t.test('a continue token brings back what went into it', async () => {
  fc.assert(
    fc.property(fc.nat(), fc.string({ unit: 'grapheme' }), (resourceVersion, after) => {
      const query = new URLSearchParams({ continue: continueToken(resourceVersion, after) })
      const { continue: read } = parseListOptions(query, false, true)
      return read?.resourceVersion === resourceVersion && read.after === after
    }),
  )
})
