/** What pods may send that is no proper request for metadata, and what it has to be answered with. */
export interface BadRequest {
  readonly name: string
  /** latin1 */
  readonly bytes: string
  /** The statuses of all answers, in order, up to the end of the connection. */
  readonly answers: readonly number[]
}

const TOKEN = '/computeMetadata/v1/instance/service-accounts/default/token'
const PROJECT = '/computeMetadata/v1/project/project-id'
const HOST = 'Host: metadata.google.internal\r\n'
const FLAVOR = 'Metadata-Flavor: Google\r\n'
const CLOSE = 'Connection: close\r\n'
const HEADERS = `${HOST}${FLAVOR}${CLOSE}`
/** A request that would be answered with a token if it were taken for one. */
const SMUGGLED = `GET ${TOKEN} HTTP/1.1\r\n${HEADERS}\r\n`

function get(path: string, headers = HEADERS): string {
  return `GET ${path} HTTP/1.1\r\n${headers}\r\n`
}

const CASES: readonly (readonly [string, string, ...number[]])[] = [
  ['garbage', 'garbage\r\n\r\n', 400],
  ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
  ['HTTP/2 with prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['a method that does not exist', `FROBNICATE ${TOKEN} HTTP/1.1\r\n${HEADERS}\r\n`, 400],
  ['a method in lower case', `get ${TOKEN} HTTP/1.1\r\n${HEADERS}\r\n`, 400],
  ['POST', `POST ${TOKEN} HTTP/1.1\r\n${HEADERS}Content-Length: 0\r\n\r\n`, 405],
  ['DELETE', `DELETE ${TOKEN} HTTP/1.1\r\n${HEADERS}\r\n`, 405],
  ['OPTIONS *', `OPTIONS * HTTP/1.1\r\n${HEADERS}\r\n`, 400],
  ['a version of the future', `GET ${TOKEN} HTTP/3.7\r\n${HEADERS}\r\n`, 400],
  ['HTTP/0.9', `GET ${TOKEN}\r\n\r\n`, 400],
  ['a NUL in the target', get(`${TOKEN}\0`), 400],
  ['a NUL in a header', get(TOKEN, `${HEADERS}X: a\0b\r\n`), 400],
  ['a NUL in a header name', get(TOKEN, `${HEADERS}X\0: a\r\n`), 400],
  ['a byte beyond ASCII in the path', get('/computeMetadata/v1/\xff'), 400],
  ['a byte beyond ASCII in the query', get(`${TOKEN}?scopes=\xe9`), 400],
  ['a target of 64 KiB', get(`/${'a'.repeat(65_536)}`), 431],
  ['a query of 64 KiB', get(`${TOKEN}?scopes=${'a'.repeat(65_536)}`), 431],
  ['a header of 64 KiB', get(TOKEN, `${HEADERS}X: ${'a'.repeat(65_536)}\r\n`), 431],
  ['64 KiB of small headers', get(TOKEN, `${HEADERS}${'A: b\r\n'.repeat(10_923)}`), 431],
  ['scopes of 8 KiB', get(`${TOKEN}?scopes=${'a'.repeat(8_192)}`), 400],
  ['an audience of 8 KiB', get(`${TOKEN.replace('token', 'identity')}?audience=${'a'.repeat(8_192)}`), 400],
  ['no audience', get(TOKEN.replace('token', 'identity')), 400],
  ['absolute form', get(`http://metadata.google.internal${TOKEN}`), 400],
  ['absolute form of another server', get(`http://169.254.169.254:1${TOKEN}`), 400],
  ['CONNECT', `CONNECT 10.0.0.1:443 HTTP/1.1\r\n${HEADERS}\r\n`, 405],
  ['dot segments', get(`/computeMetadata/v1/instance/../project/project-id`), 400],
  ['encoded dot segments', get(`/computeMetadata/v1/instance/%2e%2e/project/project-id`), 400],
  ['an encoded slash', get('/computeMetadata/v1%2fproject/project-id'), 400],
  ['a backslash', get('/computeMetadata\\v1\\project\\project-id'), 400],
  ['a broken escape', get(`${PROJECT}%4`), 400],
  ['a fragment', get(`${PROJECT}#x`), 400],
  ['two hosts', get(TOKEN, `${HOST}Host: evil.example\r\n${FLAVOR}${CLOSE}`), 400],
  ['the same host twice', get(TOKEN, `${HOST}${HEADERS}`), 400],
  ['no host', get(TOKEN, `${FLAVOR}${CLOSE}`), 400],
  ['the host of a web page', get(TOKEN, `Host: evil.example\r\n${FLAVOR}${CLOSE}`), 403],
  ['no flavor', get(TOKEN, `${HOST}${CLOSE}`), 403],
  ['another flavor', get(TOKEN, `${HOST}Metadata-Flavor: Amazon\r\n${CLOSE}`), 403],
  ['two flavors', get(TOKEN, `${HEADERS}Metadata-Flavor: Amazon\r\n`), 403],
  ['a proxy before it', get(TOKEN, `${HEADERS}X-Forwarded-For: 127.0.10.2\r\n`), 403],
  ['a space before the colon', get(TOKEN, `${HEADERS}X : a\r\n`), 400],
  ['a folded header', get(TOKEN, `${HEADERS}X: a\r\n b\r\n`), 400],
  ['bare carriage returns', `GET ${TOKEN} HTTP/1.1\r${HEADERS.replaceAll('\n', '')}\r`, 400],
  ['a length twice', get(PROJECT, `${HEADERS}Content-Length: 1\r\nContent-Length: 2\r\n`) + SMUGGLED, 400],
  ['a length twice alike', get(PROJECT, `${HEADERS}Content-Length: 0\r\nContent-Length: 0\r\n`), 400],
  ['a negative length', get(PROJECT, `${HEADERS}Content-Length: -1\r\n`) + SMUGGLED, 400],
  ['a length in hexadecimal', get(PROJECT, `${HEADERS}Content-Length: 0x10\r\n`) + SMUGGLED, 400],
  ['a length beyond all numbers', get(PROJECT, `${HEADERS}Content-Length: ${'9'.repeat(40)}\r\n`), 400],
  [
    'a length and chunks',
    `${get(PROJECT, `${HEADERS}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`)}0\r\n\r\n${SMUGGLED}`,
    400,
  ],
  [
    'chunks that are not the last coding',
    `${get(PROJECT, `${HEADERS}Transfer-Encoding: chunked, identity\r\n`)}0\r\n\r\n${SMUGGLED}`,
    400,
  ],
  [
    'a coding that nobody knows',
    `${get(PROJECT, `${HEADERS}Transfer-Encoding: xchunked\r\n`)}${SMUGGLED}`,
    400,
  ],
  ['a request in a body', get(PROJECT, `${HEADERS}Content-Length: ${SMUGGLED.length}\r\n`) + SMUGGLED, 200],
  [
    'a request in a chunk',
    `${get(PROJECT, `${HEADERS}Transfer-Encoding: chunked\r\n`)}${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
    200,
  ],
  ['a request after the last one', get(PROJECT) + SMUGGLED, 200],
  ['an offer of h2c', get(PROJECT, `${HOST}${FLAVOR}Connection: Upgrade, close\r\nUpgrade: h2c\r\n`), 200],
  [
    'an offer of a websocket',
    get(PROJECT, `${HOST}${FLAVOR}Connection: Upgrade, close\r\nUpgrade: websocket\r\n`),
    200,
  ],
  [
    'an AWS session token without its life',
    `PUT /latest/api/token HTTP/1.1\r\nHost: 169.254.169.254\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    400,
  ],
  ['the paths of Azure', get('/metadata/identity/oauth2/token?resource=x', `${HOST}${CLOSE}`), 400],
  ['what is not emulated', get('/computeMetadata/v1/instance/attributes/kube-env'), 404],
]

/** Every one of them. */
export const BAD_REQUESTS: readonly BadRequest[] = CASES.map(([name, bytes, ...answers]) => ({
  name,
  bytes,
  answers,
}))
