import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { hostFiles } from '../../../src/caller/proof/host-files.ts'
import { type HostView, openHostView } from '../../../src/caller/proof/host-view.ts'
import { isGone } from '../../../src/caller/proof/is-gone.ts'

/** A folder that looks like the mount point of cgroups: paths of directories, and the ids in their `cgroup.procs`. */
async function viewOf(
  t: { teardown(fn: () => Promise<void>): void },
  tree: Readonly<Record<string, string>>,
  version: 1 | 2,
): Promise<HostView | undefined> {
  const root = await mkdtemp(join(tmpdir(), 'metadatad-test-'))
  t.teardown(() => rm(root, { recursive: true }))
  const proc = join(root, 'proc')
  for (const process of ['self', '1']) {
    await mkdir(join(proc, process, 'net'), { recursive: true })
    await writeFile(join(proc, process, 'net', 'tcp'), '')
  }
  const cgroupRoot = join(root, 'cgroup')
  await mkdir(cgroupRoot)
  if (version === 2) await writeFile(join(cgroupRoot, 'cgroup.controllers'), 'cpu pids\n')
  for (const [path, pids] of Object.entries(tree)) {
    await mkdir(join(cgroupRoot, path), { recursive: true })
    await writeFile(join(cgroupRoot, path, 'cgroup.procs'), pids)
  }
  return await openHostView({ procRoot: proc, cgroupRoot })
}

async function uids(view: HostView | undefined): Promise<string[]> {
  return [...(await view!.podDirectories()).keys()].sort()
}

t.test(
  'pods of every class are found in either spelling, at the kubelet’s depth and nowhere else',
  async (t) => {
    const cgroupfs = await viewOf(
      t,
      {
        'kubepods/poda-1/x': '1\n',
        'kubepods/burstable/podb-2': '',
        'kubepods/besteffort/podc-3': '',
        'kubepods/burstable/podb-2/x/kubepods/podd-4': '',
        'kubepods/burstable/burstable/pode-5': '',
        'system/x/kubepods/podf-6': '',
        'podg-7': '',
      },
      2,
    )
    t.same(await uids(cgroupfs), ['a-1', 'b-2', 'c-3'])
    const systemd = await viewOf(
      t,
      {
        'kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-poda_1.slice/x': '1\n',
        'kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-podb_2.slice':
          '',
        'kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-podc_3.slice':
          '',
        'kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-podd_4.scope': '',
      },
      2,
    )
    t.same(await uids(systemd), ['a-1', 'b-2'])
  },
)

t.test('of the hierarchies of version 1 the one with the pods’ processes is taken', async (t) => {
  const view = await viewOf(
    t,
    { 'blkio/kubepods/podwrong-1/x': '', 'pids/kubepods/poda-1/x': '7\n', 'cpu/kubepods/podlater-1/x': '' },
    1,
  )
  t.same(await uids(view), ['a-1'])
})

t.test('a kubelet that runs no pod yet is a view, and grows', async (t) => {
  const view = await viewOf(t, { kubepods: '' }, 2)
  t.same(await uids(view), [])
})

t.test(
  'there is no view without the kubelet’s cgroups, or where processes are of another pid namespace',
  async (t) => {
    t.equal(await viewOf(t, { 'system.slice/x': '1\n' }, 2), undefined)
    t.equal(await viewOf(t, { 'kubepods/poda-1/x': '0\n12\n' }, 2), undefined)
    t.equal(await openHostView({ procRoot: '/nowhere', cgroupRoot: '/nowhere' }), undefined)
  },
)

t.test('a file is read whole or not at all', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'metadatad-test-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const path = join(folder, 'long')
  await writeFile(path, 'x'.repeat(200_000))
  t.equal((await hostFiles.readFile(path, 200_000)).length, 200_000)
  await t.rejects(hostFiles.readFile(path, 199_999), { code: 'EFBIG' })
  const missing = await hostFiles.readFile(join(folder, 'none'), 1).catch((error) => error)
  t.ok(isGone(missing))
  t.notOk(isGone(Object.assign(new Error('too many open files'), { code: 'EMFILE' })))
})
