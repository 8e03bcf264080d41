import { createHash, createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Caller } from '../../caller/caller.ts'

/** A session token that is good at the address it was presented from; not yet known to be good for the pod there. */
export interface SessionToken {
  /** Was it given to this pod, or at least not to a predecessor of it? */
  belongsTo(pod: Pick<Caller['pod'], 'uid' | 'createdAt'>): boolean
}

const VERSION = 1
/** Version, time of issue in milliseconds, TTL in seconds, and the pod: a hash of its UID, zeros while it is not known. */
const POD_AT = 9
const POD_BYTES = 16
const MAC_AT = POD_AT + POD_BYTES
const UNKNOWN_POD = Buffer.alloc(POD_BYTES)
/** 57 bytes as base64url: header-safe, and no other spelling of the same bytes. */
const TOKEN = /^[\w-]{76}$/
/** A clock that was set back must not make tokens from its future last for ever. */
const MAX_AHEAD_MS = 60_000
/**
 * The API server's clock, which pods are dated by, may be ahead of the node's: the first token of a pod would come to nothing, and
 * some clients keep it for hours. Less than the 30 s for which the Amazon VPC CNI gives an address to no other pod.
 */
const MAX_BEHIND_MS = 10_000
const PURPOSE = 'metadatad IMDSv2 session token'

/**
 * IMDSv2 session tokens that nothing is stored for: an HMAC-SHA256 over what they say and the source address they were
 * issued to. Whoever has the key accepts them, a restarted daemon too. They are no credential: what they open is decided by
 * who asks.
 */
export class SessionTokens {
  readonly #key: KeyObject

  /** @param key secret, at least 32 bytes */
  constructor(key: KeyObject) {
    this.#key = key
  }

  /**
   * @param address source of the request, spelled by `canonicalAddress`
   * @param podUid of the pod there, if it is known: then the token is that pod's alone
   * @param ttlSeconds 1 to 21,600
   * @param now milliseconds since the epoch
   */
  issue(address: string, podUid: string | undefined, ttlSeconds: number, now: number): string {
    const claims = Buffer.alloc(MAC_AT)
    claims[0] = VERSION
    claims.writeUIntBE(now, 1, 6)
    claims.writeUInt16BE(ttlSeconds, 7)
    if (podUid !== undefined) podHash(podUid).copy(claims, POD_AT)
    return Buffer.concat([claims, this.#mac(claims, address)]).toString('base64url')
  }

  /** Undefined for anything but a token issued to this address that has not expired. Total. */
  read(token: string, address: string, now: number): SessionToken | undefined {
    if (!TOKEN.test(token)) return undefined
    const bytes = Buffer.from(token, 'base64url')
    const claims = bytes.subarray(0, MAC_AT)
    if (claims[0] !== VERSION || !timingSafeEqual(bytes.subarray(MAC_AT), this.#mac(claims, address)))
      return undefined
    const issuedAt = claims.readUIntBE(1, 6)
    if (now >= issuedAt + claims.readUInt16BE(7) * 1000 || issuedAt - now > MAX_AHEAD_MS) return undefined
    const pod = claims.subarray(POD_AT)
    return {
      // A token from before its pod was known is told apart from a predecessor's by the time alone.
      belongsTo: ({ uid, createdAt }) =>
        pod.equals(UNKNOWN_POD) ? createdAt <= issuedAt + MAX_BEHIND_MS : pod.equals(podHash(uid)),
    }
  }

  #mac(claims: Buffer, address: string): Buffer {
    return createHmac('sha256', this.#key).update(`${PURPOSE}\0`).update(claims).update(address).digest()
  }
}

function podHash(uid: string): Buffer {
  return createHash('sha256').update(uid).digest().subarray(0, POD_BYTES)
}
