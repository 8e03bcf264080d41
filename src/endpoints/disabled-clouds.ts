import type { Metrics } from '../lib/metrics.ts'
import { type Answer, answer } from './answer.ts'
import type { Protocol } from './protocol.ts'

/**
 * AWS instance metadata while it is off: everything is 404 in EC2's words, so that SDKs go on to their next source of
 * credentials. A session token on `GET /` still means that AWS is spoken, and it is never a good one.
 */
export function disabledAws(metrics: Metrics): Protocol {
  const blocked = metrics.blocked.labels('aws')
  const notFound = ec2Page(404, 'Not Found')
  const badToken = answer('none', 401, 'text/plain', '', ['Server', 'EC2ws'])
  return {
    name: 'aws',
    forwarded: ec2Page(403, 'Forbidden'),
    malformed: ec2Page(400, 'Bad Request'),
    owns: (path, headers) =>
      path === '/' ? headers.awsToken : /^\/(?:latest|1\.0|\d{4}-\d\d-\d\d)(?:\/|$)/.test(path),
    handle(request) {
      if (request.path === '/' && request.headers.awsToken) return badToken
      blocked.inc()
      return notFound
    },
    failure: () => notFound,
  }
}

/**
 * Azure instance metadata while it is off: 404 in JSON, except at the token path, where every SDK retries a 404 for up
 * to a minute and 400 `Identity not found` means "look elsewhere" at once.
 */
export function disabledAzure(metrics: Metrics): Protocol {
  const blocked = metrics.blocked.labels('azure')
  const notFound = imdsError(404, 'not_found', 'Not found')
  const noIdentity = imdsError(400, 'invalid_request', 'Identity not found')
  return {
    name: 'azure',
    forwarded: imdsError(400, 'invalid_request', 'X-Forwarded-For is not allowed'),
    malformed: imdsError(400, 'invalid_request', 'Malformed request'),
    owns: (path) => path.startsWith('/metadata/') || path === '/metadata',
    handle(request) {
      blocked.inc()
      return /^\/metadata\/identity\/oauth2\/token\/?$/.test(request.path) ? noIdentity : notFound
    },
    failure: () => noIdentity,
  }
}

function ec2Page(status: number, reason: string): Answer {
  const page = `<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>${status} - ${reason}</title>
 </head>
 <body>
  <h1>${status} - ${reason}</h1>
 </body>
</html>
`
  return answer('none', status, 'text/html', page, ['Server', 'EC2ws'])
}

function imdsError(status: number, error: string, description: string): Answer {
  const body = JSON.stringify({ error, error_description: description })
  return answer('none', status, 'application/json; charset=utf-8', body, [])
}
