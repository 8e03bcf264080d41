import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import t from 'tap'
import { inTime } from '../intercept/in-time.ts'
import { readRepoFile } from '../repo/support.ts'
import { NetNamespace } from '../support/net-namespace.ts'
import { ARCHIVE, cannotTryImage, readConfig, rootfs, runInImage } from './in-image.ts'

const skip = cannotTryImage()
const MIB = 1024 * 1024
const DEFAULT = { uid: 65532 }
const INTERCEPTING = { uid: 0, add: ['net_admin', 'net_bind_service'] }
const CONFIG = [
  '--intercept-mode=redirect',
  '--intercept-allow=169.254.169.254:53,168.63.129.16:123',
  '--google-project-id=project-1',
  '--google-workload-identity-provider=projects/1/locations/global/workloadIdentityPools/pool/providers/provider',
]
const { version } = JSON.parse(readRepoFile('package.json'))

t.test('the configuration names the program, an unprivileged user and a licence', { skip }, async (t) => {
  const config = readConfig()
  t.equal(config.User, '65532:65532')
  t.equal(config.Entrypoint.at(-1), '/opt/metadatad/metadatad.mjs')
  t.match(config.Labels, {
    'org.opencontainers.image.title': 'metadatad',
    'org.opencontainers.image.licenses': 'Apache-2.0',
  })
})

t.test('what probes, the interception and people call is on the PATH', { skip }, async (t) => {
  await using namespace = await NetNamespace.create('image')
  const run = (...command: string[]) => runInImage(namespace, DEFAULT, ...command)
  t.equal((await run('metadatad', '--version')).stdout.trim(), version)
  t.equal((await run(...readConfig().Entrypoint, '--version')).stdout.trim(), version)
  t.match((await run('nft', '--version')).stdout, /^nftables v/)
  t.match((await run('ip', '-V')).stdout, /^ip utility/)
  t.equal((await run('sh', '-c', 'test -n "$(find /proc/self/status -mmin -1)"')).status, 0)
})

t.test('containers have the rights that the tests mean them to have', { skip }, async (t) => {
  await using namespace = await NetNamespace.create('image')
  const status = async (privileges: typeof INTERCEPTING | typeof DEFAULT) =>
    (await runInImage(namespace, privileges, 'cat', '/proc/self/status')).stdout
  const none = '0'.repeat(16)
  const unprivileged = await status(DEFAULT)
  t.match(unprivileged, /^Uid:\t65532\t65532\t65532\t65532$/m)
  for (const set of ['CapPrm', 'CapEff', 'CapBnd'])
    t.match(unprivileged, new RegExp(`^${set}:\t${none}$`, 'm'))
  // CAP_NET_BIND_SERVICE is 10 and CAP_NET_ADMIN is 12 (capability.h of Linux).
  const both = none.slice(4) + ((1 << 10) | (1 << 12)).toString(16).padStart(4, '0')
  const root = await status(INTERCEPTING)
  for (const set of ['CapPrm', 'CapEff', 'CapBnd']) t.match(root, new RegExp(`^${set}:\t${both}$`, 'm'))
  t.match((await runInImage(namespace, INTERCEPTING, 'touch', '/tmp/x')).stderr, /Read-only file system/)
})

t.test('the demo serves its pods as an unprivileged user on a read-only root', { skip }, async (t) => {
  await using namespace = await NetNamespace.create('image')
  const demo = ['env', 'TMPDIR=/dev/shm', 'metadatad', 'demo', '--once', '--output', 'json']
  const { status, stdout, stderr } = await runInImage(namespace, DEFAULT, ...demo)
  t.equal(status, 0, stderr)
  t.match(stdout, /@.*gserviceaccount\.com/)
})

t.test(
  'interception is installed, checked and removed as root with two capabilities',
  { skip },
  async (t) => {
    await using namespace = await NetNamespace.create('image')
    const intercept = (action: string, privileges = INTERCEPTING) =>
      inTime(() => runInImage(namespace, privileges, 'metadatad', 'intercept', action, ...CONFIG))
    const tables = () => namespace.must('nft', 'list', 'tables')

    t.match(await intercept('check'), { status: 1, stdout: /^not ok/m }, 'nothing is there yet')
    const refused = await intercept('install', { uid: 0, add: ['net_bind_service'] })
    t.match(refused, { status: 1, stderr: /INTERCEPT_UNAVAILABLE.*CAP_NET_ADMIN/ })
    t.match(await intercept('install'), { status: 0, stderr: '' })
    t.match(await tables(), 'table inet metadatad')
    t.match(await namespace.ip('rule', 'list'), 'blackhole')
    const checked = await intercept('check')
    t.equal(checked.status, 0, checked.stderr)
    t.notMatch(checked.stdout, /^not ok/m)
    t.match(await intercept('remove'), { status: 0, stderr: '' })
    t.notMatch(await tables(), 'metadatad')
    t.notMatch(await namespace.ip('rule', 'list'), 'blackhole')
  },
)

t.test('what installs programs, or makes root of somebody else, is not in it', { skip }, async (t) => {
  const listing = execFileSync('find', [rootfs(), '-xdev', '-printf', '%y %m %P\\n'], { encoding: 'utf8' })
  const files = listing.split('\n').map((line) => /^(.) (\d+) (.*)$/.exec(line)?.slice(1) ?? ['', '', ''])
  const paths = files.map(([, , path]) => path!)
  const programs = paths
    .filter((path) => /^usr\/(?:local\/)?s?bin\//.test(path))
    .map((path) => basename(path))
  for (const name of ['sh', 'find', 'test', 'nft', 'ip', 'node', 'metadatad'])
    t.ok(programs.includes(name), name)
  for (const name of [
    'apt-get',
    'dpkg',
    'perl',
    'npm',
    'npx',
    'corepack',
    'yarn',
    'su',
    'mount',
    'nsenter',
  ]) {
    t.notOk(programs.includes(name), name)
  }
  const left =
    /^(?:root\/\.npm|var\/lib\/apt|(?:var\/cache|var\/log|tmp|mnt)\/.|.*\/node_modules\/|.*(?:npmrc|ca\.crt)$)/
  t.same(
    paths.filter((path) => left.test(path)),
    [],
    'caches, and what is of the machine that built it',
  )
  t.same(
    files.filter(([type, mode]) => type === 'f' && /^[2-7]\d{3}$/.test(mode!)),
    [],
    'setuid or setgid',
  )
  t.match(
    readFileSync(`${rootfs()}/var/lib/dpkg/status`, 'utf8'),
    /^Package: nftables$/m,
    'scanners see what is there',
  )
})

t.test('the image stays small', { skip }, async (t) => {
  const size = statSync(ARCHIVE).size / MIB
  t.comment(`${size.toFixed(0)} MiB, uncompressed`)
  t.ok(size < 220, `${size} MiB`)
})
