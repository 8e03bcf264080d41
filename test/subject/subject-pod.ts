import { decodePod } from '../../src/kubernetes/decode-pod.ts'
import type { Pod } from '../../src/kubernetes/types.ts'

/** A pod of ServiceAccount `cart` that mounts a token for `aud` at `gcp/token`; `change` replaces fields. */
export function subjectPod(change: Partial<Pod> = {}): Pod {
  const pod = decodePod({
    metadata: { namespace: 'shop', name: 'cart-0', uid: 'uid-1', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: {
      serviceAccountName: 'cart',
      volumes: [
        {
          name: 'gcp',
          projected: { sources: [{ serviceAccountToken: { audience: 'aud', path: 'token' } }] },
        },
      ],
    },
  })
  return { ...pod!, ...change }
}

/** The claims of that pod's bound token, good for an hour after `now` (milliseconds). */
export function subjectClaims(now: number): Record<string, unknown> {
  return {
    aud: ['aud'],
    exp: Math.floor(now / 1000) + 3600,
    sub: 'system:serviceaccount:shop:cart',
    'kubernetes.io': {
      namespace: 'shop',
      pod: { name: 'cart-0', uid: 'uid-1' },
      serviceaccount: { name: 'cart', uid: 'sa-1' },
    },
  }
}

/** A JWT with these claims and a signature that nobody looks at. */
export function subjectJwt(claims: unknown): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256' })}.${part(claims)}.c2lnbmF0dXJl`
}
