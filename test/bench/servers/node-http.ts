import { createServer } from 'node:http'

// The yardstick: a bare node:http server that gives everybody the same answer. `node node-http.ts PORT`; $BODY is the
// answer's body.

const body = process.env.BODY!
const headers = {
  'Content-Type': 'application/json',
  'Metadata-Flavor': 'Google',
  'Content-Length': Buffer.byteLength(body),
}

createServer((_request, response) => {
  response.writeHead(200, headers)
  response.end(body)
}).listen(Number(process.argv[2]), '127.0.0.1')
