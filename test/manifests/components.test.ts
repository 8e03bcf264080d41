import { relative } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config/load-config.ts'
import { cannotRender, environment, generated, MANIFESTS, type Manifest, render, the } from './support.ts'

/** What a user's overlay with these components is. */
function overlayWith(t: Test, overlay: string, components: readonly string[]): Manifest[] {
  const dir = t.testdir()
  t.testdir({
    'kustomization.yaml': JSON.stringify({
      resources: [relative(dir, `${MANIFESTS}/overlays/${overlay}`)],
      components: components.map((name) => relative(dir, `${MANIFESTS}/components/${name}`)),
    }),
  })
  return render(dir)
}

const daemonOf = (manifests: readonly Manifest[]) => the(manifests, 'DaemonSet', 'metadatad').spec

function configOf(manifests: readonly Manifest[]) {
  const text = generated(manifests, 'metadatad').data['config.yaml']
  const env = environment(manifests, daemonOf(manifests).template.spec.containers[0])
  return loadConfig({ file: { name: 'config.yaml', text }, env, flags: {} })
}

t.test('the optional parts', { skip: cannotRender }, async (t) => {
  t.test('startup-taint names the taint that the policy lets it remove', async (t) => {
    const manifests = overlayWith(t, 'eks', ['startup-taint', 'validating-admission-policy'])
    const { startupTaint } = configOf(manifests).node
    t.equal(startupTaint, 'metadatad.dev/not-ready')
    const policy = the(manifests, 'ValidatingAdmissionPolicy', 'metadatad-node-patches')
    t.match(policy.spec.validations[1].expression, `taint.key == '${startupTaint}'`)
  })

  t.test('probe runs as the ServiceAccount whose reports are believed', async (t) => {
    const manifests = overlayWith(t, 'eks', ['probe'])
    const probe = the(manifests, 'DaemonSet', 'metadatad-probe')
    const { serviceAccountName } = probe.spec.template.spec
    t.equal(configOf(manifests).intercept.probe, `${probe.metadata.namespace}/${serviceAccountName}`)
    t.ok(the(manifests, 'ServiceAccount', serviceAccountName))
    t.notSame(
      probe.spec.selector.matchLabels,
      daemonOf(manifests).selector.matchLabels,
      'nobody takes it for the daemon',
    )
  })

  t.test('monitoring scrapes the address that the daemon then listens on', async (t) => {
    const manifests = overlayWith(t, 'on-prem', ['monitoring'])
    const { admin } = configOf(manifests).listen
    t.strictSame(admin, { host: '10.0.0.1', port: 9989 })
    const service = the(manifests, 'Service')
    t.equal(service.spec.ports[0].targetPort, admin.port)
    t.match(daemonOf(manifests).template.metadata.labels, service.spec.selector)
    const monitor = the(manifests, 'ServiceMonitor')
    t.match(service.metadata.labels, monitor.spec.selector.matchLabels)
    t.equal(monitor.spec.endpoints[0].port, service.spec.ports[0].name)
  })

  t.test(
    'validating-admission-policy knows the daemon, its audience and the life of its tokens',
    async (t) => {
      for (const manifests of [
        overlayWith(t, 'gke-like', ['validating-admission-policy']),
        render(`${MANIFESTS}/examples/cluster`),
      ]) {
        const { google, subjectToken } = configOf(manifests)
        const { name, namespace } = the(manifests, 'ServiceAccount', 'metadatad').metadata
        const policies = manifests.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy')
        t.equal(policies.length, 4)
        for (const { metadata, spec } of policies) {
          t.equal(spec.failurePolicy, 'Fail')
          t.strictSame(spec.matchConditions, [
            {
              name: 'the-daemon',
              expression: `request.userInfo.username == 'system:serviceaccount:${namespace}:${name}'`,
            },
          ])
          const binding = the(manifests, 'ValidatingAdmissionPolicyBinding', metadata.name)
          t.equal(binding.spec.policyName, metadata.name)
          t.strictSame(binding.spec.validationActions, ['Deny'])
        }
        const { spec } = the(manifests, 'ValidatingAdmissionPolicy', 'metadatad-token-requests')
        t.equal(spec.variables[0].name, 'audiences', 'an overlay replaces the first one')
        const audience =
          google!.identityNamespace ?? `//iam.googleapis.com/${google!.workloadIdentityProvider}`
        t.equal(spec.variables[0].expression, `['${audience}']`)
        const expressions = spec.validations.map(({ expression }: { expression: string }) => expression)
        t.ok(
          expressions.some((it: string) =>
            it.endsWith(`expirationSeconds <= ${subjectToken.expirationSeconds}`),
          ),
        )
        t.strictSame(
          the(manifests, 'ValidatingAdmissionPolicyBinding', 'metadatad-token-nodes').spec.paramRef,
          { selector: {}, parameterNotFoundAction: 'Allow' },
          "nobody's requests are refused in a namespace without pods",
        )
      }
    },
  )

  t.test(
    'uninstall removes the rules on each node after its daemon is gone, with no right left to the rest',
    async (t) => {
      const installed = daemonOf(render(`${MANIFESTS}/overlays/gke-like`)).template.spec
      const { updateStrategy, template } = daemonOf(overlayWith(t, 'gke-like', ['uninstall']))
      const [rules] = template.spec.initContainers
      t.strictSame(updateStrategy.rollingUpdate, { maxSurge: 0, maxUnavailable: '100%' })
      t.strictSame(rules, {
        ...installed.initContainers[0],
        args: ['intercept', 'remove', '--config', '/etc/metadatad/config.yaml'],
      })
      const [container] = template.spec.containers
      t.match(container, { command: ['sleep', 'infinity'], args: undefined, livenessProbe: undefined })
      t.equal(container.readinessProbe, undefined)
      t.strictSame(container.securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        runAsUser: 65532,
        runAsGroup: 65532,
        capabilities: { drop: ['ALL'] },
      })
    },
  )

  t.test('cilium redirects to where the daemon listens, and denies what is not redirected', async (t) => {
    const manifests = render(`${MANIFESTS}/overlays/cilium`)
    const { redirectFrontend, redirectBackend } = the(manifests, 'CiliumLocalRedirectPolicy').spec
    t.strictSame(redirectFrontend.addressMatcher, {
      ip: '169.254.169.254',
      toPorts: [{ port: '80', protocol: 'TCP' }],
    })
    t.strictSame(
      redirectBackend.toPorts,
      configOf(manifests).listen.metadata.map(({ port }) => ({ port: String(port), protocol: 'TCP' })),
    )
    t.match(daemonOf(manifests).template.metadata.labels, redirectBackend.localEndpointSelector.matchLabels)
    const { METADATA_ADDRESSES } = await import('../../src/lib/metadata-addresses.ts')
    const denied = the(manifests, 'CiliumClusterwideNetworkPolicy').spec
    t.strictSame(
      denied.egressDeny.flatMap(({ toCIDR }: { toCIDR: string[] }) => toCIDR).sort(),
      METADATA_ADDRESSES.map(({ address, family }) => `${address}/${family === 4 ? 32 : 128}`).sort(),
    )
    t.strictSame(denied.endpointSelector, {})
  })
})
