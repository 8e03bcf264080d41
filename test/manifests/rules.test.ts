import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { relative } from 'node:path'
import t from 'tap'
import { inTime } from '../intercept/in-time.ts'
import { cannotNamespace, NetNamespace } from '../support/net-namespace.ts'
import { cannotRender, environment, generated, MANIFESTS, render, the } from './support.ts'

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname
const skip = cannotRender || cannotNamespace('nft', 'setpriv')

t.test('the init container, with its own capabilities and no other', { skip }, async (t) => {
  for (const overlay of ['gke-like', 'on-prem']) {
    t.test(`installs the rules of ${overlay}, and takes them away in the uninstallation`, async (t) => {
      await using node = await NetNamespace.create('node')
      const dir = mkdtempSync(`${tmpdir()}/metadatad-rules-`)
      t.teardown(() => rmSync(dir, { recursive: true }))

      const run = async (folder: string, action: string) => {
        const manifests = render(folder)
        const [container] = the(manifests, 'DaemonSet', 'metadatad').spec.template.spec.initContainers
        t.equal(container.args[1], action)
        writeFileSync(`${dir}/config.yaml`, generated(manifests, 'metadatad').data['config.yaml'])
        const args = container.args.map((arg: string) => arg.replace('/etc/metadatad', dir))
        const { add } = container.securityContext.capabilities
        const only = ['-all', ...add.map((name: string) => `+${name.toLowerCase()}`)].join()
        const { status, stderr } = await inTime(() =>
          node.run(
            'setpriv',
            ['--no-new-privs', '--inh-caps', only, '--bounding-set', only, process.execPath, MAIN, ...args],
            { env: { PATH: process.env.PATH, ...environment(manifests, container) } },
          ),
        )
        t.strictSame({ status, stderr }, { status: 0, stderr: '' })
      }

      await run(`${MANIFESTS}/overlays/${overlay}`, 'install')
      t.match(await node.must('nft', 'list', 'tables'), 'table inet metadatad')
      t.match(await node.ip('rule', 'list'), 'to 169.254.169.254 blackhole')

      const uninstalling = {
        resources: [relative(dir, `${MANIFESTS}/overlays/${overlay}`)],
        components: [relative(dir, `${MANIFESTS}/components/uninstall`)],
      }
      writeFileSync(`${dir}/kustomization.yaml`, JSON.stringify(uninstalling))
      await run(dir, 'remove')
      t.equal(await node.must('nft', 'list', 'tables'), '')
      t.notMatch(await node.ip('rule', 'list'), 'blackhole')
    })
  }
})
