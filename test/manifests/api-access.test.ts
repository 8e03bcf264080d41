import { relative } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config/load-config.ts'
import { cannotRender, environment, generated, MANIFESTS, type Manifest, render, the } from './support.ts'

function overlayWith(t: Test, component: string): Manifest[] {
  const dir = t.testdir()
  t.testdir({
    'kustomization.yaml': JSON.stringify({
      resources: [relative(dir, `${MANIFESTS}/overlays/gke-like`)],
      components: [relative(dir, `${MANIFESTS}/components/${component}`)],
    }),
  })
  return render(dir)
}

function daemonOf(manifests: readonly Manifest[]) {
  const pod = the(manifests, 'DaemonSet', 'metadatad').spec.template.spec
  const [container] = pod.containers
  const text = generated(manifests, 'metadatad').data['config.yaml']
  const env = environment(manifests, container)
  const mounts = container.volumeMounts.map(({ name, mountPath }: { name: string; mountPath: string }) => {
    const { hostPath } = pod.volumes.find((volume: { name: string }) => volume.name === name)
    return [mountPath, hostPath?.path]
  })
  const config = loadConfig({ file: { name: 'config.yaml', text }, env, flags: {} })
  return { pod, container, config, mounts: new Map(mounts) }
}

t.test('other ways to tokens and to the API server', { skip: cannotRender }, async (t) => {
  t.test(
    'projected takes the right to create tokens away, and shows the daemon those of the kubelet',
    async (t) => {
      const manifests = overlayWith(t, 'projected')
      const before = the(render(`${MANIFESTS}/overlays/gke-like`), 'ClusterRole').rules
      t.strictSame(
        the(manifests, 'ClusterRole').rules,
        before.filter((rule: Manifest) => rule.resources[0] !== 'serviceaccounts/token'),
      )
      const { container, config, mounts } = daemonOf(manifests)
      t.equal(config.subjectToken.source, 'projected')
      t.equal(mounts.get(`${config.subjectToken.kubeletRoot}/pods`), '/var/lib/kubelet/pods')
      const mount = container.volumeMounts.find(({ name }: { name: string }) => name === 'kubelet-pods')
      t.match(mount, { readOnly: true, mountPropagation: 'HostToContainer' })
      t.strictSame(container.securityContext.capabilities, {
        drop: ['ALL'],
        add: ['NET_ADMIN', 'NET_BIND_SERVICE', 'DAC_READ_SEARCH'],
      })
    },
  )

  t.test('node-identity gives nodes three things, and the daemon no right of its own', async (t) => {
    const manifests = overlayWith(t, 'node-identity')
    const roles = manifests.filter(({ kind }) => kind === 'ClusterRole')
    t.strictSame(roles.map(({ rules }) => rules.map(({ verbs }: { verbs: string[] }) => verbs)).flat(2), [
      'request-serviceaccounts-token-audience',
      'get',
      'list',
      'watch',
    ])
    for (const { kind, subjects } of manifests)
      if (kind === 'ClusterRoleBinding') t.match(subjects, [{ kind: 'Group', name: 'system:nodes' }])
    const { pod, config, mounts } = daemonOf(manifests)
    t.equal(pod.automountServiceAccountToken, false)
    t.equal(mounts.get(config.kubernetes.kubeconfig!), '/etc/kubernetes/kubelet.conf')
    const { google } = config
    const audience = `//iam.googleapis.com/${google!.workloadIdentityProvider}`
    t.ok(the(manifests, 'ClusterRole', 'metadatad-node-audiences').rules[0].resources.includes(audience))
  })
})
