import type { Metrics } from '../lib/metrics.ts'
import { ec2Page, ec2Text } from './aws/ec2-answer.ts'
import { imdsError } from './azure/imds-answer.ts'
import type { Protocol } from './protocol.ts'

/**
 * AWS instance metadata while it is off: everything is 404 in EC2's words, so that SDKs go on to their next source of
 * credentials. A session token on `GET /` still means that AWS is spoken, and it is never a good one.
 */
export function disabledAws(metrics: Metrics): Protocol {
  const blocked = metrics.blocked.labels('aws')
  const notFound = ec2Page('none', 404, 'Not Found')
  const badToken = ec2Text('none', 401, '')
  return {
    name: 'aws',
    forwarded: ec2Page('none', 403, 'Forbidden'),
    malformed: ec2Page('none', 400, 'Bad Request'),
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
  const notFound = imdsError('none', 404, 'not_found', 'Not found')
  const noIdentity = imdsError('none', 400, 'invalid_request', 'Identity not found')
  return {
    name: 'azure',
    forwarded: imdsError('none', 400, 'invalid_request', 'X-Forwarded-For is not allowed'),
    malformed: imdsError('none', 400, 'invalid_request', 'Malformed request'),
    owns: (path) => path.startsWith('/metadata/') || path === '/metadata',
    handle(request) {
      blocked.inc()
      return /^\/metadata\/identity\/oauth2\/token\/?$/.test(request.path) ? noIdentity : notFound
    },
    failure: () => noIdentity,
  }
}
