import type { Api } from '../api.ts'

/**
 * Everything that a user may do in a namespace by the API server's own word (authorization.k8s.io/v1 SelfSubjectRulesReview):
 * `VERB RESOURCE`, with `.GROUP` where it is not of the core and `=NAME` where it is for one object, and `VERB /PATH`.
 */
export async function reviewedRights(api: Api, namespace: string): Promise<Set<string>> {
  const { status } = await api.create('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectRulesReview',
    spec: { namespace },
  })
  const rights = new Set<string>()
  for (const { verbs, apiGroups, resources, resourceNames } of status.resourceRules)
    for (const verb of verbs)
      for (const group of apiGroups)
        for (const resource of resources)
          for (const name of resourceNames ?? [''])
            rights.add(`${verb} ${resource}${group && `.${group}`}${name && `=${name}`}`)
  for (const { verbs, nonResourceURLs } of status.nonResourceRules)
    for (const verb of verbs) for (const path of nonResourceURLs) rights.add(`${verb} ${path}`)
  return rights
}
