/** What the server itself looks at in a request's headers, read in one pass. */
export interface RequestHeaders {
  /** The `Host` header; undefined if there is none. */
  readonly host: string | undefined
  /** `Host` appears more than once: two readers of the request could disagree on which counts. */
  readonly hostRepeated: boolean
  /** `X-Forwarded-For` is present: somebody else asks through the pod. */
  readonly forwarded: boolean
  /** `Metadata-Flavor` is present and `Google` every time. */
  readonly googleFlavor: boolean
  /** `x-aws-ec2-metadata-token` is present, whatever its value. */
  readonly awsToken: boolean
  /** A body is announced (RFC 9112 section 6.3). */
  readonly hasBody: boolean
  /** Of that body nobody can tell the end: it has another coding than `chunked` (the same section). */
  readonly unknownCoding: boolean
}

/**
 * @param raw names and values in turn (`IncomingMessage.rawHeaders`): unlike `headers` it still has every duplicate
 */
export function readRequestHeaders(raw: readonly string[]): RequestHeaders {
  let host: string | undefined
  let hostRepeated = false
  let forwarded = false
  let flavors = 0
  let otherFlavors = 0
  let awsToken = false
  let hasBody = false
  let unknownCoding = false
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!
    // The length decides first, so that most names are never lower-cased.
    switch (name.length) {
      case 4:
        if (name.toLowerCase() === 'host') {
          hostRepeated ||= host !== undefined
          host = raw[i + 1]!
        }
        break
      case 14:
        if (name.toLowerCase() === 'content-length') hasBody ||= raw[i + 1] !== '0'
        break
      case 15: {
        const lower = name.toLowerCase()
        if (lower === 'x-forwarded-for') forwarded = true
        else if (lower === 'metadata-flavor') {
          if (raw[i + 1] === 'Google') flavors++
          else otherFlavors++
        }
        break
      }
      case 17:
        if (name.toLowerCase() === 'transfer-encoding') {
          hasBody = true
          unknownCoding ||= raw[i + 1]!.toLowerCase() !== 'chunked'
        }
        break
      case 24:
        if (name.toLowerCase() === 'x-aws-ec2-metadata-token') awsToken = true
        break
    }
  }
  const googleFlavor = flavors > 0 && otherFlavors === 0
  return { host, hostRepeated, forwarded, googleFlavor, awsToken, hasBody, unknownCoding }
}
