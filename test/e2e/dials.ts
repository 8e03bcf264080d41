import { REDIRECT_IPV4, REDIRECT_IPV6 } from '../../src/intercept/capture.ts'
import { METADATA_ADDRESSES } from '../../src/lib/metadata-addresses.ts'
import type { Dial } from './client/dial.ts'

/** What the daemon answers in every mode that intercepts. */
export const ANSWERED: readonly Dial[] = METADATA_ADDRESSES.filter(({ serves }) => serves === 'instance').map(
  ({ address }) => ({ protocol: 'tcp', host: address, port: 80 }),
)

/** Everything else at the metadata addresses (all that the raw server of the test bed answers), and the redirect's own ends. */
export const FORBIDDEN: readonly Dial[] = [
  ...METADATA_ADDRESSES.flatMap(({ address: host, serves }): Dial[] => [
    ...(serves === 'instance' ? [] : [{ protocol: 'tcp', host, port: 80 } as const]),
    { protocol: 'tcp', host, port: 53 },
    { protocol: 'tcp', host, port: 443 },
    { protocol: 'tcp', host, port: 988 },
    { protocol: 'tcp', host, port: 8080 },
    { protocol: 'udp', host, port: 53 },
    { protocol: 'udp', host, port: 123 },
  ]),
  ...[REDIRECT_IPV4, REDIRECT_IPV6].flatMap((host): Dial[] =>
    [80, 988, 989].map((port) => ({ protocol: 'tcp', host, port })),
  ),
]

/** Is it an address of the redirect's own, which no cloud has? */
export function isRedirectTarget({ host }: Dial): boolean {
  return host === REDIRECT_IPV4 || host === REDIRECT_IPV6
}
