import { decodeJwt, decodeProtectedHeader } from 'jose'
import type { Clouds } from '../../../src/sandbox/start-clouds.ts'

/** A service-account token that a cloud was sent. */
export interface CapturedToken {
  readonly cloud: 'google' | 'aws' | 'azure'
  readonly jwt: string
  /** The key that it is signed with. */
  readonly keyId: string
  /** `aud`, as it is. */
  readonly audience: unknown
  /** From `iat` to `exp`, in seconds. */
  readonly life: number
  readonly issuer: unknown
  /** Claim `kubernetes.io` (KEP-1205, KEP-4193). */
  readonly bound: {
    readonly namespace?: string
    readonly pod?: { readonly name: string; readonly uid: string }
    readonly node?: { readonly name: string; readonly uid: string }
    readonly serviceaccount?: { readonly name: string; readonly uid: string }
  }
}

/** Where each cloud's token exchange has the subject token. */
const FIELDS = {
  google: ['subject_token', 'subjectToken'],
  aws: ['WebIdentityToken'],
  azure: ['client_assertion'],
} as const

/** Notes every service-account token that the clouds are sent, until it is disposed of. */
export class CapturedTokens implements Disposable {
  /** Newest last. */
  readonly all: CapturedToken[] = []
  readonly #clouds: Clouds

  constructor(clouds: Clouds) {
    this.#clouds = clouds
    for (const cloud of ['google', 'aws', 'azure'] as const) {
      clouds[cloud].intercept = (_call, body) => {
        const sent = (body ?? {}) as Readonly<Record<string, unknown>>
        for (const field of FIELDS[cloud]) {
          const jwt = sent[field]
          if (typeof jwt === 'string') this.all.push(decode(cloud, jwt))
        }
        return undefined
      }
    }
  }

  /** The newest that a cloud was sent for a pod of this name. */
  last(cloud: CapturedToken['cloud'], pod: string): CapturedToken | undefined {
    return this.all.findLast((it) => it.cloud === cloud && it.bound.pod?.name === pod)
  }

  [Symbol.dispose](): void {
    for (const cloud of ['google', 'aws', 'azure'] as const) this.#clouds[cloud].intercept = undefined
  }
}

function decode(cloud: CapturedToken['cloud'], jwt: string): CapturedToken {
  const { aud, iat, exp, iss, ...claims } = decodeJwt(jwt)
  return {
    cloud,
    jwt,
    keyId: decodeProtectedHeader(jwt).kid ?? '',
    audience: aud,
    life: Number(exp) - Number(iat),
    issuer: iss,
    bound: (claims['kubernetes.io'] ?? {}) as CapturedToken['bound'],
  }
}
