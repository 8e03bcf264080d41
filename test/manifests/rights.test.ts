import t from 'tap'
import { APPLICABLE, cannotRender, MANIFESTS, type Manifest, MODES, render, the } from './support.ts'

const CORE = [
  'create /events',
  'create /serviceaccounts/token',
  'get /serviceaccounts',
  'list /nodes',
  'list /pods',
  'list /serviceaccounts',
  'patch /events',
  'watch /nodes',
  'watch /pods',
  'watch /serviceaccounts',
]

function rights(role: Manifest): string[] {
  return role.rules
    .flatMap((rule: Record<'apiGroups' | 'resources' | 'verbs', string[]>) =>
      rule.resources.flatMap((resource) =>
        rule.verbs.map((verb) => `${verb} ${rule.apiGroups.join()}/${resource}`),
      ),
    )
    .sort()
}

t.test('what the daemon may ask of the API server', { skip: cannotRender }, async (t) => {
  const rendered = new Map(APPLICABLE.map((folder) => [folder, render(`${MANIFESTS}/${folder}`)]))

  for (const overlay of Object.keys(MODES)) {
    t.test(`${overlay}: what it uses, and no more`, async (t) => {
      t.strictSame(rights(the(rendered.get(`overlays/${overlay}`)!, 'ClusterRole')), CORE)
    })
  }

  t.test('with a startup taint, patches of nodes too', async (t) => {
    const manifests = rendered.get('examples/cluster')!
    t.strictSame(rights(the(manifests, 'ClusterRole', 'metadatad')), CORE)
    t.strictSame(rights(the(manifests, 'ClusterRole', 'metadatad-startup-taint')), [
      'get /nodes',
      'patch /nodes',
    ])
  })

  t.test('and nobody else gets any right', async (t) => {
    for (const manifests of rendered.values()) {
      for (const { kind, metadata, roleRef, subjects } of manifests) {
        t.notMatch(kind, /^Role(?:Binding)?$/)
        if (kind !== 'ClusterRoleBinding') continue
        t.equal(roleRef.name, metadata.name)
        t.strictSame(subjects, [{ kind: 'ServiceAccount', name: 'metadatad', namespace: 'metadatad' }])
      }
    }
  })

  t.test('every object that has a namespace is in the one that is made', async (t) => {
    for (const [folder, manifests] of rendered) {
      if (folder === 'examples/network-policy') continue
      const namespace = the(manifests, 'Namespace').metadata.name
      for (const { kind, metadata } of manifests) {
        const inNone = /^(?:Namespace|Cluster|CiliumClusterwide|ValidatingAdmissionPolicy)/.test(kind)
        t.equal(metadata.namespace, inNone ? undefined : namespace, `${kind} ${metadata.name}`)
      }
    }
  })
})
