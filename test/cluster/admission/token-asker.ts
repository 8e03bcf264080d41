import type { Api, ApiAnswer } from '../api.ts'

/** What of a good TokenRequest is to be otherwise; undefined leaves a field out. */
export interface TokenWish {
  readonly namespace?: string
  readonly audiences?: readonly string[] | undefined
  readonly expirationSeconds?: number | undefined
  readonly boundObjectRef?: Readonly<Record<string, string>> | undefined
}

/** Asks for tokens of one ServiceAccount, as the daemon does but for what is wished. */
export function tokenAsker(
  namespace: string,
  serviceAccount: string,
  audience: string,
): (api: Api, pod: { readonly name: string; readonly uid: string }, wish?: TokenWish) => Promise<ApiAnswer> {
  return (api, { name, uid }, { namespace: other = namespace, ...wish } = {}) =>
    api.ask('POST', `/api/v1/namespaces/${other}/serviceaccounts/${serviceAccount}/token`, {
      spec: {
        audiences: [audience],
        expirationSeconds: 3_600,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
        ...wish,
      },
    })
}
