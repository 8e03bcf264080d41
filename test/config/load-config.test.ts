import fc from 'fast-check'
import t from 'tap'
import { problemLine } from '../../src/config/config-error.ts'
import { CONFIG_LEAVES } from '../../src/config/leaves.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { loadText, MINIMAL, PROVIDER, problemsOf } from './support.ts'

t.test('the least configuration has every default', async (t) => {
  t.strictSame(loadText(MINIMAL), {
    node: { name: 'node-1', startupTaint: undefined },
    cluster: { name: undefined, location: undefined, uid: undefined },
    kubernetes: { kubeconfig: undefined, context: undefined },
    subjectToken: { source: 'auto', kubeletRoot: '/var/lib/kubelet', expirationSeconds: 3600 },
    caller: {
      proof: 'prefer',
      sandboxedRuntimes: [],
      procRoot: '/proc',
      cgroupRoot: '/sys/fs/cgroup',
      confirmWithinMs: 30_000,
      serveUnconfirmed: false,
    },
    google: {
      projectId: 'my-project',
      projectNumber: undefined,
      workloadIdentityProvider: PROVIDER,
      identityNamespace: undefined,
      identityProvider: undefined,
      subject: 'system:serviceaccount:{namespace}:{serviceAccount}',
      audience: undefined,
      universeDomain: 'googleapis.com',
      unannotated: 'federate',
      scopes: [
        'https://www.googleapis.com/auth/cloud-platform',
        'https://www.googleapis.com/auth/userinfo.email',
      ],
      endpoints: { sts: undefined, iamCredentials: undefined, metadata: 'http://169.254.169.254' },
      passthrough: [],
      hosts: [],
    },
    aws: undefined,
    azure: undefined,
    rules: [],
    credentials: { prefetch: true, maxPerPod: 64, refusalTtlMs: 10_000 },
    listen: {
      metadata: [{ host: '169.254.169.252', port: 988 }],
      containerCredentials: [],
      admin: { host: '127.0.0.1', port: 9989 },
      health: undefined,
      drainMs: 95_000,
    },
    intercept: {
      mode: 'none',
      allow: [],
      keepPodIdentityAgent: false,
      trustPrerouting: false,
      probe: 'metadatad/metadatad-probe',
    },
    limits: { connectionsPerPod: 2048, connections: 10_000 },
    stateDir: '/var/lib/metadatad',
    upstream: { caFile: undefined, proxy: 'environment' },
    log: { level: 'info', format: 'json' },
  })
})

t.test('a flag wins over the environment, the environment over the file', async (t) => {
  const text = `${MINIMAL}log: {level: error}\nlimits: {connections: 5}\ncluster: {name: file}\n`
  const env = { METADATAD_LOG_LEVEL: 'warn', METADATAD_LIMITS_CONNECTIONS: '6' }
  const config = loadText(text, { env, flags: { 'log.level': 'debug' } })
  t.equal(config.log.level, 'debug')
  t.equal(config.limits.connections, 6)
  t.equal(config.cluster.name, 'file')
})

t.test('flags or the environment alone can configure everything but rules', async (t) => {
  const values: Record<string, string> = {}
  const env: Record<string, string> = {}
  const excluded = new Set([
    'google.identityNamespace',
    'google.identityProvider',
    'listen.metadata',
    'intercept.keepPodIdentityAgent',
  ])
  for (const leaf of CONFIG_LEAVES) {
    if (leaf.flag === undefined || leaf.env === undefined || excluded.has(leaf.key)) continue
    values[leaf.key] = leaf.example
    env[leaf.env] = leaf.example
  }
  const byFlags = loadConfig({ env: {}, flags: values })
  t.strictSame(byFlags, loadConfig({ env, flags: {} }))
  t.equal(byFlags.subjectToken.source, 'tokenRequest')
  t.equal(byFlags.google?.projectNumber, '123456789012')
  t.strictSame(byFlags.google?.hosts, ['metadata.example.internal'])
})

t.test('no two keys share a flag or a variable', async (t) => {
  t.equal(new Set(CONFIG_LEAVES.map((leaf) => leaf.key)).size, CONFIG_LEAVES.length)
  const flags = CONFIG_LEAVES.flatMap((leaf) => leaf.flag ?? [])
  t.equal(new Set(flags).size, flags.length)
  const variables = CONFIG_LEAVES.flatMap((leaf) => leaf.env ?? [])
  t.equal(new Set(variables).size, variables.length)
})

t.test('a list is given by commas, by repetition, or empty', async (t) => {
  const scopes = (given: string | string[]) =>
    loadText(MINIMAL, { flags: { 'google.hosts': given } }).google?.hosts
  t.strictSame(scopes('a,b'), ['a', 'b'])
  t.strictSame(scopes(['a', 'b, c', 'a']), ['a', 'b', 'c'])
  t.strictSame(scopes(''), [])
})

t.test('the configuration is frozen all the way down', async (t) => {
  const config = loadText(`${MINIMAL}rules: [{namespace: [a], allow: true}]\n`)
  const frozen = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    (Object.isFrozen(value) && Object.values(value).every(frozen))
  t.ok(frozen(config))
})

t.test('every problem is reported at once, each with its place', async (t) => {
  const text = [
    'google:',
    '  projectID: my-project',
    '  passthrough:',
    '    - /computeMetadata/v1/instance/machine-type',
    '    - /computeMetadata/v1/instance/attributes/kube-env',
    'stateDir: relative',
    'rules:',
    '  - {namespace: a, alow: true}',
    '',
  ].join('\n')
  const problems = problemsOf(text, {
    env: { METADATAD_LIMITS_CONNECTIONS: 'many', METADATAD_GOGLE_HOSTS: 'x' },
    flags: { 'log.level': 'inof' },
  })
  t.strictSame(problems.map(({ key, source }) => `${source} ${key}`).sort(), [
    '--log-level log.level',
    'METADATAD_GOGLE_HOSTS METADATAD_GOGLE_HOSTS',
    'METADATAD_LIMITS_CONNECTIONS limits.connections',
    'c.yaml:1 google.projectId',
    'c.yaml:1 google.workloadIdentityProvider',
    'c.yaml:2 google.projectID',
    'c.yaml:5 google.passthrough[1]',
    'c.yaml:6 stateDir',
    'c.yaml:8 rules[0].allow',
    'c.yaml:8 rules[0].alow',
  ])
  t.ok(
    problems.every(({ message }) => message !== '' && !message.endsWith('.')),
    'messages are clauses',
  )
})

t.test('a problem is one line that says what to write instead, in the words of its source', async (t) => {
  const lines = (sources: object) => problemsOf(MINIMAL, sources).map(problemLine)
  t.strictSame(lines({ flags: { 'log.level': 'loud' } }), [
    '--log-level: log.level: must be one of `debug`, `info`, `warn`, `error`, not "loud"; for example --log-level info',
  ])
  t.strictSame(lines({ env: { METADATAD_CALLER_CONFIRM_WITHIN: '1d' } }), [
    'METADATAD_CALLER_CONFIRM_WITHIN: caller.confirmWithin: must be a duration from 0s to 10m (30s, 5m, 1h, or a number of seconds), not "1d"; for example METADATAD_CALLER_CONFIRM_WITHIN=30s',
  ])
  t.match(problemsOf(`${MINIMAL}limits: {connection: 5}`).map(problemLine), [
    'c.yaml:2: limits.connection: is not a key; did you mean limits.connections?',
  ])
})

for (const [name, text, expected] of [
  ['a key in the wrong section', `${MINIMAL}projectId: x\n`, 'did you mean google.projectId?'],
  ['another spelling', `${MINIMAL}state-dir: /x\n`, 'did you mean stateDir?'],
  ['AWS without a region', `${MINIMAL}aws: {imdsV1: false}\n`, 'aws.region: is required'],
  ['Azure without a tenant', `${MINIMAL}azure: {cloud: usgov}\n`, 'azure.tenantId: is required'],
  [
    'container credentials without AWS',
    `${MINIMAL}listen: {containerCredentials: ["127.0.0.1:8982"]}\n`,
    'add the section aws',
  ],
  [
    'container credentials where no SDK looks for them',
    `${MINIMAL}aws: {region: eu-west-1}\nintercept: {mode: redirect}\nlisten: {containerCredentials: ["10.0.0.1:80"]}\n`,
    'must be of 169.254.170.23:80',
  ],
  ['no cloud at all', 'log: {level: info}\n', 'without a cloud there is nothing to answer'],
  [
    'an allowed address that is no metadata address',
    `${MINIMAL}intercept: {allow: ["10.0.0.10:53"]}\n`,
    'must be one of the metadata addresses',
  ],
  [
    'a port that opens more than names and time',
    `${MINIMAL}intercept: {allow: ["169.254.169.254:80"]}\n`,
    'with port 53 or 123',
  ],
  [
    'listen addresses beside those of the interception',
    `${MINIMAL}intercept: {mode: redirect}\nlisten: {metadata: ["10.0.0.1:9988"]}\n`,
    'has no meaning with intercept.mode: redirect',
  ],
  [
    'every address',
    `${MINIMAL}listen: {metadata: ["0.0.0.0:988"]}\n`,
    'must not be every address of the node',
  ],
  ['every IPv6 address', `${MINIMAL}listen: {metadata: ["[0::0]:988"]}\n`, 'must not be every address'],
  [
    'one address twice',
    `${MINIMAL}listen: {metadata: ["[::1]:988", "[0::1]:988"]}\n`,
    'must not have an address twice',
  ],
  ['no address', `${MINIMAL}listen: {metadata: []}\n`, 'must have at least one address'],
  ['a name to listen on', `${MINIMAL}listen: {admin: "localhost:9989"}\n`, 'must be an address and port'],
  [
    'a text for a list',
    `${MINIMAL}listen: {metadata: "127.0.0.1:988"}\n`,
    'must be a list, not "127.0.0.1:988"',
  ],
  ['a number for a text', `${MINIMAL}cluster: {name: 5}\n`, 'not the number 5'],
  ['nothing for a text', `${MINIMAL}cluster: {name: }\n`, 'not empty'],
  ['a rule without a decision', `${MINIMAL}rules: [{namespace: a}]\n`, 'is required'],
  ['a rule of no globs', `${MINIMAL}rules: [{namespace: [], allow: true}]\n`, 'must have at least one glob'],
  ['rules that are one rule', `${MINIMAL}rules: {allow: true}\n`, 'must be a list of rules'],
  [
    'a plain-text endpoint',
    MINIMAL.replace('}', ', endpoints: {sts: "http://sts.example"}}'),
    'must be an https URL',
  ],
  ['no cloud at all', 'log: {level: info}\n', 'without a cloud there is nothing to answer'],
  ['no project', `google: {workloadIdentityProvider: ${PROVIDER}}\n`, 'is required'],
  ['no trust', 'google: {projectId: my-project}\n', 'is required, unless google.identityNamespace'],
  [
    'both kinds of trust',
    MINIMAL.replace('}', ', identityNamespace: p.svc.id.goog}'),
    'excludes google.workloadIdentityProvider',
  ],
  [
    'half of the second kind',
    'google: {projectId: my-project, identityNamespace: p.svc.id.goog}\n',
    'is required with google.identityNamespace',
  ],
  [
    'the other half',
    'google: {projectId: my-project, identityProvider: "https://c.example/x"}\n',
    'is required with google.identityProvider',
  ],
  [
    'a provider with its prefix',
    MINIMAL.replace('projects/', '//iam.googleapis.com/projects/'),
    'must be projects/NUMBER',
  ],
  [
    'subjects that are all the same',
    MINIMAL.replace('}', ', subject: "ns:{namespace}"}'),
    'must be a text with both',
  ],
  [
    'an endpoint whose port there is not',
    MINIMAL.replace('}', ', endpoints: {sts: "https://sts.example:65536"}}'),
    'must be an https URL',
  ],
  ['an endpoint that is none', MINIMAL.replace('}', ', endpoints: {sts: "sts"}}'), 'must be an https URL'],
  [
    'a universe that would be an IPv4 address',
    MINIMAL.replace('}', ', universeDomain: example.1}'),
    'must be a domain',
  ],
  [
    'room for one credential, of which a token of a service account needs two',
    `${MINIMAL}credentials: {maxPerPod: 1}\n`,
    'must be a whole number from 2 to 10000',
  ],
  ['no scopes', MINIMAL.replace('}', ', scopes: []}'), 'must have at least one scope'],
] as const) {
  t.test(`refuses ${name}`, async (t) => {
    const problems = problemsOf(text)
    t.equal(problems.length, 1, 'exactly one problem')
    t.match(problems.map(problemLine).join(), expected)
  })
}

t.test('the second kind of trust is whole with its provider', async (t) => {
  const { google } = loadText(
    'google: {projectId: my-project, identityNamespace: my-project.svc.id.goog, identityProvider: "https://gkehub.googleapis.com/projects/p/locations/global/memberships/m"}\n',
  )
  t.equal(google?.identityNamespace, 'my-project.svc.id.goog')
  t.equal(google?.workloadIdentityProvider, undefined)
})

t.test('a project number may be a YAML number or text', async (t) => {
  t.equal(
    loadText(MINIMAL.replace('}', ', projectNumber: 123456789012}')).google?.projectNumber,
    '123456789012',
  )
  t.equal(loadText(MINIMAL.replace('}', ', projectNumber: "42"}')).google?.projectNumber, '42')
  t.equal(problemsOf(MINIMAL.replace('}', ', projectNumber: 0x}')).length, 1)
})

t.test('the node is named by key, else by NODE_NAME, else by the host, and always checked', async (t) => {
  t.equal(loadText(`${MINIMAL}node: {name: by-key}\n`).node.name, 'by-key')
  t.equal(loadText(MINIMAL).node.name, 'node-1')
  t.not(loadText(MINIMAL, { env: { NODE_NAME: '' } }).node.name, '')
  t.match(problemsOf(MINIMAL, { env: { NODE_NAME: 'a,spec.nodeName!=a' } }), [
    { key: 'node.name', source: 'NODE_NAME' },
  ])
})

t.test("Kubernetes' own variables of a Service called metadatad are no problem", async (t) => {
  const env = {
    METADATAD_SERVICE_HOST: '10.0.0.1',
    METADATAD_SERVICE_PORT: '80',
    METADATAD_SERVICE_PORT_HTTP: '80',
    METADATAD_PORT: 'tcp://10.0.0.1:80',
    METADATAD_PORT_80_TCP: 'tcp://10.0.0.1:80',
    METADATAD_PORT_80_TCP_ADDR: '10.0.0.1',
    METADATAD_ADMIN_SERVICE_HOST: '10.0.0.2',
  }
  t.strictSame(problemsOf(MINIMAL, { env }), [])
})

t.test('nothing that a file holds can steer a terminal or forge a line', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, value) => {
      const cluster = JSON.stringify({ name: `${value}\x9b`, [`\x1b${name}`]: value })
      const file = { name: `\x1b${name}`, text: `${MINIMAL}cluster: ${cluster}\nrules: [${cluster}]\n` }
      const problems = problemsOf('', { file, env: { NODE_NAME: value, [`METADATAD_${name}`]: value } })
      return problems.length > 2 && !/[\x00-\x1f\x7f-\x9f]/.test(problems.map(problemLine).join(''))
    }),
  )
})

t.test('an address that is accepted is one that can be asked', async () => {
  const host = fc.stringMatching(/^(?:[A-Za-z0-9.-]{1,12}|\[[0-9a-f:.]{1,8}\])(?::\d{1,5})?$/)
  const path = fc.stringMatching(/^(?:\/[A-Za-z0-9._~-]{1,5}){0,2}$/)
  const domain = fc.stringMatching(/^[a-z0-9-]{1,5}(?:\.[a-z0-9-]{1,5}){0,2}$/)
  fc.assert(
    fc.property(host, path, domain, (host, path, domain) => {
      const sts = `https://${host}${path}`
      const metadata = `http://${host}`
      const accepts = (part: string) => problemsOf(MINIMAL.replace('}', `, ${part}}`)).length === 0
      return (
        accepts(`endpoints: {sts: ${JSON.stringify(sts)}}`) === URL.canParse(sts) &&
        accepts(`endpoints: {metadata: ${JSON.stringify(metadata)}}`) === URL.canParse(metadata) &&
        (URL.canParse(`https://sts.${domain}`) || !accepts(`universeDomain: ${JSON.stringify(domain)}`))
      )
    }),
    { numRuns: 500 },
  )
})
