import { relative } from 'node:path'
import t from 'tap'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import {
  cannotRender,
  environment,
  generated,
  MANIFESTS,
  type Manifest,
  MODES,
  render,
  the,
} from './support.ts'

/** The configuration of the daemon (or, with 'initContainers', of the rules) on one node. */
function configOf(
  manifests: readonly Manifest[],
  of: 'containers' | 'initContainers' = 'containers',
): Config {
  const pod = the(manifests, 'DaemonSet', 'metadatad').spec.template.spec
  const text = generated(manifests, 'metadatad').data['config.yaml']
  const env = environment(manifests, pod[of][0])
  return loadConfig({ file: { name: 'config.yaml', text }, env, flags: {} })
}

t.test('the configuration of each overlay', { skip: cannotRender }, async (t) => {
  for (const [overlay, mode] of Object.entries(MODES)) {
    t.test(`${overlay} is valid, and what its containers are made for`, async (t) => {
      const manifests = render(`${MANIFESTS}/overlays/${overlay}`)
      const config = configOf(manifests)
      t.equal(config.node.name, 'node-1')
      t.equal(config.intercept.mode, mode)
      t.equal(config.subjectToken.source, 'tokenRequest', "the host's projected tokens are not mounted")
      t.equal(config.caller.proof, 'prefer')

      const pod = the(manifests, 'DaemonSet').spec.template.spec
      const [container] = pod.containers
      const mounted = (path: string) =>
        container.volumeMounts.some((mount: { mountPath: string }) => mount.mountPath === path)
      t.ok(mounted(config.listen.health!), 'the probes look where the daemon writes')
      t.ok(mounted(config.caller.cgroupRoot))
      t.equal(mounted(config.stateDir), mode !== 'none')
      t.ok(pod.terminationGracePeriodSeconds * 1_000 > config.listen.drainMs + 10_000)
      t.strictSame(container.args, ['serve', '--config', '/etc/metadatad/config.yaml'])
      t.ok(mounted('/etc/metadatad'))

      if (mode === 'none') {
        t.strictSame(config.listen.metadata, [{ host: '10.0.0.1', port: 9988 }])
      } else {
        const rules = configOf(manifests, 'initContainers')
        t.strictSame(rules.intercept, config.intercept, 'the init container installs the same rules')
      }
    })
  }

  t.test("leaves open what the node's own resolver needs, and nothing else", async (t) => {
    const open = Object.fromEntries(
      Object.keys(MODES).map((overlay) => [
        overlay,
        configOf(render(`${MANIFESTS}/overlays/${overlay}`)).intercept.allow.map(
          ({ address, port }) => `${address}:${port}`,
        ),
      ]),
    )
    t.strictSame(open, {
      'gke-like': ['169.254.169.254:53', '169.254.169.254:123'],
      aks: ['168.63.129.16:53'],
      eks: [],
      'on-prem': [],
      kind: [],
      none: [],
      cilium: [],
    })
  })

  t.test("a configuration of one's own replaces the file, and not what the overlay sets", async (t) => {
    const dir = t.testdir()
    t.testdir({
      'config.yaml':
        'google: {projectId: other-project, identityNamespace: other.svc.id.goog, identityProvider: https://gkehub.googleapis.com/x}\n',
      'kustomization.yaml': JSON.stringify({
        resources: [relative(dir, `${MANIFESTS}/overlays/gke-like`)],
        images: [{ name: 'metadatad', newName: 'registry.example.com/metadatad', newTag: '1.2.3' }],
        configMapGenerator: [
          { name: 'metadatad', namespace: 'metadatad', behavior: 'replace', files: ['config.yaml'] },
        ],
      }),
    })
    const manifests = render(dir)
    const config = configOf(manifests)
    t.equal(config.google?.projectId, 'other-project')
    t.equal(config.intercept.mode, 'redirect')
    const pod = the(manifests, 'DaemonSet').spec.template.spec
    for (const { image } of [...pod.containers, ...pod.initContainers]) {
      t.equal(image, 'registry.example.com/metadatad:1.2.3')
    }
    t.equal(
      pod.volumes.find(({ name }: { name: string }) => name === 'config').configMap.name,
      generated(manifests, 'metadatad').metadata.name,
      'a changed configuration is rolled out',
    )
  })
})
