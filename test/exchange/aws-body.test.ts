import fc from 'fast-check'
import t from 'tap'
import { awsValue, parseAwsBody } from '../../src/exchange/aws-body.ts'
import { parseAwsFailure } from '../../src/exchange/aws-failure.ts'

const failure = (status: number, text: string) => parseAwsFailure({ status, text, retryAfterMs: undefined })

t.test('XML and JSON give the same tree', async (t) => {
  const xml = parseAwsBody(
    '<?xml version="1.0"?>\n<A xmlns="https://sts.amazonaws.com/doc/2011-06-15/">\n  <B x="1"><C>one &amp; &#50;</C><D/></B>\n</A>',
  )
  t.strictSame(xml, parseAwsBody('{"A":{"B":{"C":"one & 2","D":""}}}'))
  t.equal(awsValue(xml, 'A', 'B', 'C'), 'one & 2')
  t.equal(awsValue(xml, 'A', 'C'), undefined)
  t.equal(awsValue(xml, 'A', 'B', 'C', 'length'), undefined)
  t.equal(awsValue(parseAwsBody('{}'), 'constructor', 'name'), undefined)
})

t.test('no entity is expanded but the five of XML itself', async (t) => {
  const bomb =
    '<!DOCTYPE a [<!ENTITY x "boom"><!ENTITY y "&x;&x;"><!ENTITY f SYSTEM "file:///etc/passwd">]><a><b>&y;&f;</b></a>'
  t.strictSame(parseAwsBody(bomb), {})
})

t.test('documents that are deep, cut or no documents are nothing', async (t) => {
  for (const text of [
    '',
    ' ',
    '<',
    '<a>',
    '<a></b>',
    'null',
    '[]',
    '7',
    '{"a":',
    '<html><body><p>502</body></html>',
    '<a>'.repeat(60_000),
    `${'<a>'.repeat(30_000)}${'</a>'.repeat(30_000)}`,
  ]) {
    const tree = parseAwsBody(text)
    t.equal(awsValue(tree, 'Error', 'Code'), undefined, text.slice(0, 40))
  }
})

t.test('an element named after something that every object has is only a value', async (t) => {
  const tree = parseAwsBody('<a><__proto__><Error><Code>X</Code></Error></__proto__></a>')
  t.equal(awsValue(tree, 'a', 'Error', 'Code'), undefined)
  t.equal(awsValue(parseAwsBody('{"__proto__":{"Error":{"Code":"X"}}}'), 'Error', 'Code'), undefined)
})

t.test('a refusal is read in both forms, with and without its ending', async (t) => {
  const xml = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error><Type>Sender</Type><Code>ExpiredTokenException</Code><Message>Token expired: current date/time must be before the expiration date/time</Message></Error>
  <RequestId>11111111-2222-3333-4444-555555555555</RequestId></ErrorResponse>`
  const expected = {
    status: 400,
    code: 'ExpiredToken',
    description: 'Token expired: current date/time must be before the expiration date/time',
    retryAfterMs: undefined,
  }
  t.strictSame(failure(400, xml), expected)
  const error = { Code: 'ExpiredToken', Message: expected.description, Type: 'Sender' }
  t.strictSame(failure(400, JSON.stringify({ Error: error, RequestId: 'x' })), expected)
  t.equal(failure(400, '{"Error":{"Code":"Exception"}}').code, 'Exception')
})

t.test('a refusal in no known form is known by its status', async (t) => {
  for (const text of ['', '<html>', '{"Error":7}', '{"Error":{"Code":"a b"}}', '{"Error":{"Code":null}}']) {
    t.match(failure(502, text), { code: '502', description: '' }, text)
  }
})

t.test('a token that AWS repeats is not kept', async (t) => {
  const Message = `The token ${'e'.repeat(60)}.${'y'.repeat(300)} is bad`
  t.equal(
    failure(400, JSON.stringify({ Error: { Code: 'X', Message } })).description,
    'The token [redacted].[redacted] is bad',
  )
})

t.test('whatever AWS says, what is kept is bounded and printable', async () => {
  const leaf = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.constant(null))
  const body = fc.record({ Error: fc.record({ Code: leaf, Message: leaf }, { requiredKeys: [] }) })
  const tags = fc.constantFrom(
    '<ErrorResponse>',
    '<Error>',
    '<Code>',
    '</Code>',
    '</Error>',
    '</ErrorResponse>',
    '&',
    '<![CDATA[',
    ']]>',
    '<!--',
    'x',
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    body.map((it) => JSON.stringify(it)),
    fc.array(tags).map((it) => it.join('')),
    fc.json(),
  )
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 599 }), text, (status, given) => {
      const { code, description } = failure(status, given)
      return /^(?:\d{3}|[A-Za-z][A-Za-z0-9_.]{0,63})$/.test(code) && /^[\x20-\x7e]{0,300}$/.test(description)
    }),
  )
})

t.test('XML that is longer than any answer of STS is not read: the parser takes its time', async (t) => {
  const document = (length: number) =>
    `<Error><Code>X</Code><Message>${'\r'.repeat(length)}</Message></Error>`
  t.equal(awsValue(parseAwsBody(document(60_000)), 'Error', 'Code'), 'X')
  t.same(parseAwsBody(document(70_000)), {})
})
