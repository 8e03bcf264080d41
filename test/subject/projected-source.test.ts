import { execFileSync } from 'node:child_process'
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Pod } from '../../src/kubernetes/types.ts'
import { projectedSource } from '../../src/subject/projected-source.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { subjectClaims, subjectJwt, subjectPod } from './subject-pod.ts'

const signal = new AbortController().signal
const clock = new FakeClock()
const wanted = { serviceAccountUid: 'sa-1', audience: 'aud', expirationSeconds: 3600 }
const good = subjectJwt(subjectClaims(clock.now()))
const onLinux = process.platform === 'linux' ? {} : { skip: "a kubelet's directory is read on Linux only" }

/** Writes a volume as the kubelet does: a timestamped directory, `..data` to it, and a link for each file. */
async function writeVolume(
  directory: string,
  files: Record<string, string>,
  timestamp = '..2026_01_01_00_00_00.1',
) {
  await mkdir(join(directory, timestamp), { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(directory, timestamp, name, '..'), { recursive: true })
    await writeFile(join(directory, timestamp, name), text)
    const top = name.split('/')[0]!
    await symlink(join('..data', top), join(directory, top)).catch(() => {})
  }
  await symlink(timestamp, join(directory, '..data_tmp'))
  await rename(join(directory, '..data_tmp'), join(directory, '..data'))
}

async function setUp(t: Test, pod: Pod = subjectPod()) {
  const root = t.testdir({ outside: { token: good } })
  const volume = join(root, 'pods', pod.uid, 'volumes', 'kubernetes.io~projected', 'gcp')
  await mkdir(volume, { recursive: true })
  const source = projectedSource({ kubeletRoot: root, clock })
  const get = () => source.get({ ...wanted, pod }, signal)
  return { root, volume, get }
}

t.test('the token is read as the kubelet wrote it, and after it was rotated', onLinux, async (t) => {
  const { volume, get } = await setUp(t)
  await writeVolume(volume, { token: good })
  t.match(await get(), { expiresAt: clock.now() + 3_600_000 })
  t.equal((await get()).token.reveal(), good)
  const next = subjectJwt({ ...subjectClaims(clock.now()), jti: 'next' })
  await writeVolume(volume, { token: next }, '..2026_01_01_00_48_00.2')
  await rm(join(volume, '..2026_01_01_00_00_00.1'), { recursive: true })
  t.equal((await get()).token.reveal(), next)
})

t.test(
  'a token below a directory of the volume, and a kubelet directory that is a link, are found',
  onLinux,
  async (t) => {
    const projectedTokens = [{ volume: 'gcp', path: 'deep/er/token', audience: 'aud' }]
    const pod = subjectPod({ projectedTokens })
    const { root, volume } = await setUp(t, pod)
    await writeVolume(volume, { 'deep/er/token': `${good}\n` })
    await symlink(root, join(root, 'linked'))
    const source = projectedSource({ kubeletRoot: join(root, 'linked'), clock })
    t.equal((await source.get({ ...wanted, pod }, signal)).token.reveal(), good)
  },
)

t.test('links that leave the volume are refused, wherever they are', onLinux, async (t) => {
  const hostile: Record<string, (volume: string, root: string) => Promise<unknown>> = {
    'the file, absolute': (volume, root) => symlink(join(root, 'outside/token'), join(volume, 'token')),
    'the file, relative': (volume) => symlink('../../../../../outside/token', join(volume, 'token')),
    'a neighbour whose name begins the same': async (volume) => {
      await mkdir(`${volume}-other`)
      await writeFile(join(`${volume}-other`, 'token'), good)
      await symlink('../gcp-other/token', join(volume, 'token'))
    },
    '..data': async (volume, root) => {
      await symlink(join(root, 'outside'), join(volume, '..data'))
      await symlink('..data/token', join(volume, 'token'))
    },
    'the volume': async (volume, root) => {
      await rm(volume, { recursive: true })
      await symlink(join(root, 'outside'), volume)
    },
    "the pod's directory": async (volume, root) => {
      const pod = join(root, 'pods/uid-1')
      await writeVolume(volume, { token: good })
      await rename(pod, join(root, 'pods/uid-2'))
      await symlink('uid-2', pod)
    },
    'a circle': (volume) => symlink('token', join(volume, 'token')),
  }
  for (const [what, make] of Object.entries(hostile)) {
    await t.test(what, async (t) => {
      const { root, volume, get } = await setUp(t)
      await make(volume, root)
      await t.rejects(get(), { code: 'SUBJECT_TOKEN_INVALID', retryable: false })
    })
  }
})

t.test('what is no small regular file is refused, and nothing hangs', onLinux, async (t) => {
  const odd: Record<string, (file: string) => unknown> = {
    'a directory': (file) => mkdir(file),
    'a pipe': (file) => execFileSync('mkfifo', [file]),
    'a long file': (file) => writeFile(file, `${good}${'A'.repeat(32 * 1024)}`),
    'no token': (file) => writeFile(file, 'nonsense'),
    'an empty file': (file) => writeFile(file, ''),
  }
  for (const [what, make] of Object.entries(odd)) {
    await t.test(what, async (t) => {
      const { volume, get } = await setUp(t)
      await make(join(volume, 'token'))
      await t.rejects(get(), { code: 'SUBJECT_TOKEN_INVALID' })
    })
  }
})

t.test('a file that is not there yet may come', onLinux, async (t) => {
  const { get } = await setUp(t)
  await t.rejects(get(), { code: 'SUBJECT_TOKEN_UNAVAILABLE', retryable: true })
})

t.test('names that lead elsewhere are never turned into a path', async (t) => {
  const root = t.testdir({ pods: { token: good } })
  const source = projectedSource({ kubeletRoot: root, clock })
  const token = { volume: 'gcp', path: 'token', audience: 'aud' }
  const pods = [
    subjectPod({ uid: '..' }),
    subjectPod({ uid: 'a/../b' }),
    subjectPod({ uid: '' }),
    subjectPod({ projectedTokens: [{ ...token, volume: '../x' }] }),
    subjectPod({ projectedTokens: [{ ...token, volume: '.' }] }),
    subjectPod({ projectedTokens: [{ ...token, path: '../gcp/token' }] }),
    subjectPod({ projectedTokens: [{ ...token, path: 'a/../../token' }] }),
  ]
  for (const pod of pods) {
    await t.rejects(source.get({ ...wanted, pod }, signal), {
      code: 'SUBJECT_TOKEN_INVALID',
    })
  }
  const nul = subjectPod({ projectedTokens: [{ ...token, path: 'a\0b' }] })
  await t.rejects(source.get({ ...wanted, pod: nul }, signal), {
    code: 'SUBJECT_TOKEN_UNAVAILABLE',
  })
})

t.test('a pod that mounts no token for the audience is told to', async (t) => {
  const source = projectedSource({ kubeletRoot: t.testdir({}), clock })
  const request = { ...wanted, pod: subjectPod(), audience: 'other' }
  await t.rejects(source.get(request, signal), {
    code: 'SUBJECT_TOKEN_REFUSED',
    publicMessage: /"other".*projected volume/,
  })
})

t.test('the second of two mounted tokens is used where the first can not be', onLinux, async (t) => {
  const token = { volume: 'gcp', path: 'token', audience: 'aud' }
  const { volume, get } = await setUp(
    t,
    subjectPod({ projectedTokens: [{ ...token, path: 'missing' }, token] }),
  )
  await writeVolume(volume, { token: good })
  t.equal((await get()).token.reveal(), good)
})
