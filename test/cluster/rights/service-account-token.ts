import type { Api } from '../api.ts'

/** A token of a ServiceAccount, for the API server's own audience unless another is said, bound to a pod or to nothing. */
export async function serviceAccountToken(
  admin: Api,
  namespace: string,
  name: string,
  {
    audience,
    pod,
  }: { readonly audience?: string; readonly pod?: { readonly name: string; readonly uid: string } } = {},
): Promise<string> {
  const { status } = await admin.create(`/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, {
    spec: {
      expirationSeconds: 3_600,
      ...(audience === undefined ? {} : { audiences: [audience] }),
      ...(pod === undefined ? {} : { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', ...pod } }),
    },
  })
  return status.token
}
