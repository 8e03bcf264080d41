import { createHash, createHmac } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { StsError } from './sts-error.ts'

/** A request that carries an `Authorization` header of Signature Version 4. */
export interface SignedRequest {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A parsed `Authorization` header. */
export interface RequestSignature {
  readonly accessKeyId: string
  /** Whether that key's secret signed the request. */
  verify(secretAccessKey: string): boolean
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=(\w{16,128})\/(\d{8})\/([a-z0-9-]{1,64})\/(sts)\/aws4_request, ?SignedHeaders=([a-z0-9;-]{1,2048}), ?Signature=([0-9a-f]{64})$/

/**
 * Reads a request's signature (AWS IAM user guide, "Create a signed AWS API request"). Its age is not looked at: a client's
 * clock is not the sandbox's.
 *
 * @throws StsError `MissingAuthenticationToken` or `IncompleteSignature`
 */
export function requestSignature(request: SignedRequest): RequestSignature {
  const { authorization, 'x-amz-date': time } = request.headers
  if (authorization === undefined) throw new StsError('MissingAuthenticationToken')
  const [, accessKeyId, date, region, service, signedHeaders, signature] =
    AUTHORIZATION.exec(authorization) ?? []
  const names = signedHeaders?.split(';') ?? []
  if (!accessKeyId || !date || !region || !service || !names.includes('host'))
    throw new StsError('IncompleteSignature')
  if (typeof time !== 'string' || !time.startsWith(`${date}T`)) throw new StsError('IncompleteSignature')
  const scope = [date, region, service, 'aws4_request']
  const text = ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(canonicalRequest(request, names))].join(
    '\n',
  )
  return {
    accessKeyId,
    verify(secretAccessKey) {
      const key = scope.reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`)
      return hmac(key, text).toString('hex') === signature
    },
  }
}

function canonicalRequest({ method, url, headers, body }: SignedRequest, names: readonly string[]): string {
  const query = [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&')
  const lines = names.map(
    (name) =>
      `${name}:${String(headers[name] ?? '')
        .trim()
        .replace(/ +/g, ' ')}\n`,
  )
  return [method, url.pathname, query, lines.join(''), names.join(';'), sha256(body)].join('\n')
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
