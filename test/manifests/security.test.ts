import t from 'tap'
import { APPLICABLE, cannotRender, MANIFESTS, MODES, render, the } from './support.ts'

/** Per mode, what is added to nothing. */
const CAPABILITIES = { redirect: ['NET_ADMIN', 'NET_BIND_SERVICE'], bind: ['NET_ADMIN', 'NET_BIND_SERVICE'] }

t.test('what the pods may do', { skip: cannotRender }, async (t) => {
  t.strictSame(
    Object.keys(MODES)
      .map((name) => `overlays/${name}`)
      .sort(),
    APPLICABLE.filter((folder) => folder.startsWith('overlays/')),
    'every overlay has a mode',
  )

  for (const [overlay, mode] of Object.entries(MODES)) {
    const { spec } = the(render(`${MANIFESTS}/overlays/${overlay}`), 'DaemonSet')
    const pod = spec.template.spec

    t.test(`${overlay}: the least that mode ${mode} needs`, async (t) => {
      const [container] = pod.containers
      const contained = {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
      }

      t.equal(pod.hostNetwork, true)
      t.equal(pod.hostPID, true)
      t.equal(pod.hostIPC, undefined)
      t.equal(pod.securityContext.seccompProfile.type, 'RuntimeDefault')
      t.equal(pod.containers.length, 1)
      if (mode === 'none') {
        t.strictSame(pod.securityContext, {
          runAsNonRoot: true,
          runAsUser: 65532,
          runAsGroup: 65532,
          seccompProfile: { type: 'RuntimeDefault' },
        })
        t.strictSame(container.securityContext, { ...contained, capabilities: { drop: ['ALL'] } })
        t.equal(pod.initContainers, undefined)
      } else {
        t.equal(pod.securityContext.runAsUser, 0)
        t.strictSame(container.securityContext, {
          ...contained,
          capabilities: { drop: ['ALL'], add: CAPABILITIES[mode] },
        })
        t.equal(pod.initContainers.length, 1)
        t.strictSame(pod.initContainers[0].securityContext, {
          ...contained,
          capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
        })
        t.strictSame(pod.initContainers[0].args.slice(0, 2), ['intercept', 'install'])
      }
    })

    t.test(`${overlay}: sees of the host what it reads, and writes to its own directory only`, async (t) => {
      const paths = Object.fromEntries(
        pod.volumes
          .filter((volume: object) => 'hostPath' in volume)
          .map(({ name, hostPath }: { name: string; hostPath: { path: string } }) => [name, hostPath.path]),
      )
      t.strictSame(paths, {
        cgroup: '/sys/fs/cgroup',
        ...(mode === 'none' ? {} : { state: '/var/lib/metadatad' }),
      })
      for (const { volumeMounts } of [...pod.containers, ...(pod.initContainers ?? [])]) {
        const writable = volumeMounts.filter((mount: { readOnly?: boolean }) => mount.readOnly !== true)
        for (const { name } of writable) t.match(name, /^(?:health|state)$/)
        const cgroup = volumeMounts.find((mount: { name: string }) => mount.name === 'cgroup')
        if (cgroup) t.match(cgroup, { readOnly: true, recursiveReadOnly: 'IfPossible' })
      }
    })

    t.test(`${overlay}: runs on every node, through every update`, async (t) => {
      t.strictSame(pod.tolerations, [{ operator: 'Exists' }])
      t.equal(pod.priorityClassName, 'system-node-critical')
      t.equal(pod.dnsPolicy, 'Default')
      for (const { ports, resources } of [...pod.containers, ...(pod.initContainers ?? [])]) {
        t.equal(ports, undefined, 'they would become host ports')
        t.ok(resources.requests.memory && resources.limits.memory)
      }
      t.strictSame(
        spec.updateStrategy.rollingUpdate,
        mode === 'none' ? { maxUnavailable: '10%' } : { maxSurge: 1, maxUnavailable: 0 },
      )
    })
  }

  t.test('every other container is an ordinary one', async (t) => {
    for (const folder of APPLICABLE) {
      for (const { kind, metadata, spec } of render(`${MANIFESTS}/${folder}`)) {
        t.notMatch(
          kind,
          /^(?:Pod|Deployment|StatefulSet|ReplicaSet|Job|CronJob)$/,
          'kinds not looked at here',
        )
        if (kind !== 'DaemonSet' || metadata.name === 'metadatad') continue
        const pod = spec.template.spec
        t.equal(metadata.name, 'metadatad-probe')
        t.notOk(pod.hostNetwork || pod.hostPID || pod.hostIPC || pod.volumes || pod.initContainers)
        t.equal(pod.automountServiceAccountToken, false)
        t.strictSame(pod.securityContext, {
          runAsNonRoot: true,
          runAsUser: 65532,
          runAsGroup: 65532,
          seccompProfile: { type: 'RuntimeDefault' },
        })
        for (const container of pod.containers) {
          t.equal(container.ports, undefined)
          t.strictSame(container.securityContext, {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          })
        }
      }
    }
  })
})
