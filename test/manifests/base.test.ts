import { spawnSync } from 'node:child_process'
import { relative } from 'node:path'
import t from 'tap'
import { parseAllDocuments } from 'yaml'
import { loadConfig } from '../../src/config/load-config.ts'

interface Manifest {
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Record<string, string>
  }
  // biome-ignore lint/suspicious/noExplicitAny: fields of many kinds, and a wrong one fails the test
  readonly [field: string]: any
}

const BASE = new URL('../../manifests/base', import.meta.url).pathname
const RENDERERS = [
  ['kubectl', 'kustomize'],
  ['kustomize', 'build'],
] as const

const renderer = RENDERERS.find(([program]) => spawnSync(program, ['--help']).error === undefined)

function render(folder: string): Manifest[] {
  const [program, command] = renderer!
  const { status, stdout, stderr } = spawnSync(program, [command, folder], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest)
}

t.test(
  'manifests',
  { skip: renderer === undefined && 'neither kubectl nor kustomize is installed' },
  async (t) => {
    const manifests = render(BASE)
    const the = (kind: string): Manifest => {
      const found = manifests.filter((manifest) => manifest.kind === kind)
      t.equal(found.length, 1, `one ${kind}`)
      return found[0]!
    }
    const template = the('DaemonSet').spec.template
    const pod = template.spec
    const [container] = pod.containers

    t.test('render everything that is needed, and nothing more', async (t) => {
      t.strictSame(manifests.map(({ kind }) => kind).sort(), [
        'ClusterRole',
        'ClusterRoleBinding',
        'ConfigMap',
        'DaemonSet',
        'Namespace',
        'ServiceAccount',
      ])
      const namespace = the('Namespace').metadata.name
      for (const { kind, metadata } of manifests) {
        if (kind !== 'Namespace' && !kind.startsWith('Cluster')) t.equal(metadata.namespace, namespace, kind)
      }
      t.strictSame(the('ClusterRoleBinding').subjects, [
        { kind: 'ServiceAccount', name: the('ServiceAccount').metadata.name, namespace },
      ])
      t.equal(the('ClusterRoleBinding').roleRef.name, the('ClusterRole').metadata.name)
    })

    t.test('grant the rights that the daemon uses, and no more', async (t) => {
      const rights = the('ClusterRole').rules.flatMap(
        (rule: Record<'apiGroups' | 'resources' | 'verbs', string[]>) =>
          rule.resources.flatMap((resource) =>
            rule.verbs.map((verb) => `${verb} ${rule.apiGroups.join()}/${resource}`),
          ),
      )
      t.strictSame(rights.sort(), [
        'create /events',
        'create /serviceaccounts/token',
        'get /serviceaccounts',
        'list /nodes',
        'list /pods',
        'list /serviceaccounts',
        'watch /nodes',
        'watch /pods',
        'watch /serviceaccounts',
      ])
    })

    t.test("run it on every node, on the host's network, with no privilege at all", async (t) => {
      t.equal(pod.hostNetwork, true)
      t.notOk(pod.hostPID || pod.hostIPC)
      t.strictSame(pod.tolerations, [{ operator: 'Exists' }])
      t.equal(pod.priorityClassName, 'system-node-critical')
      t.equal(pod.serviceAccountName, the('ServiceAccount').metadata.name)
      t.match(pod.securityContext, {
        runAsNonRoot: true,
        runAsUser: Number,
        seccompProfile: { type: 'RuntimeDefault' },
      })
      t.strictSame(container.securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      t.equal(container.ports, undefined, 'they would become host ports')
      t.ok(container.resources.requests.memory && container.resources.limits.memory)
      t.strictSame(
        pod.volumes.filter((volume: object) => 'hostPath' in volume),
        [],
      )
    })

    t.test('give it a configuration that is valid, and rolled out when it changes', async (t) => {
      const map = the('ConfigMap')
      t.match(map.metadata.name, /^metadatad-[a-z0-9]{10}$/)
      t.equal(pod.volumes[0].configMap.name, map.metadata.name)
      t.strictSame(container.args, [
        'serve',
        '--config',
        `${container.volumeMounts[0].mountPath}/config.yaml`,
      ])

      const fields: Record<string, string> = { 'spec.nodeName': 'node-1', 'status.hostIP': '10.0.0.1' }
      const env: Record<string, string> = {}
      for (const { name, value, valueFrom } of container.env) {
        env[name] =
          value === undefined
            ? fields[valueFrom.fieldRef.fieldPath]!
            : value.replaceAll(/\$\((\w+)\)/g, (_: string, other: string) => env[other])
      }
      const config = loadConfig({
        file: { name: 'config.yaml', text: map.data['config.yaml'] },
        env,
        flags: {},
      })
      t.equal(config.node.name, 'node-1')
      t.strictSame(config.listen.metadata, [{ host: '10.0.0.1', port: 9988 }])
      t.ok(
        config.listen.metadata.every(({ port }) => port >= 1024),
        'ports that it may open without root',
      )

      for (const probe of [container.livenessProbe, container.readinessProbe]) {
        t.match(probe.httpGet, config.listen.admin, 'the kubelet asks where the daemon listens')
      }
      t.equal(container.livenessProbe.httpGet.path, '/healthz')
      t.equal(container.readinessProbe.httpGet.path, '/readyz')
    })

    t.test('take an overlay that sets image and configuration', async (t) => {
      const dir = t.testdir({ 'config.yaml': 'google: {projectId: other}\n', 'kustomization.yaml': '' })
      t.testdir({
        'config.yaml': 'google: {projectId: other}\n',
        'kustomization.yaml': JSON.stringify({
          resources: [relative(t.testdirName, BASE)],
          images: [{ name: 'metadatad', newName: 'registry.example.com/metadatad', newTag: '1.2.3' }],
          configMapGenerator: [
            { name: 'metadatad', namespace: 'metadatad', behavior: 'replace', files: ['config.yaml'] },
          ],
        }),
      })
      const overlay = render(dir)
      const daemonSet = overlay.find(({ kind }) => kind === 'DaemonSet')!
      const map = overlay.find(({ kind }) => kind === 'ConfigMap')!
      t.equal(daemonSet.spec.template.spec.containers[0].image, 'registry.example.com/metadatad:1.2.3')
      t.equal(map.data['config.yaml'], 'google: {projectId: other}\n')
      t.equal(daemonSet.spec.template.spec.volumes[0].configMap.name, map.metadata.name)
    })
  },
)
