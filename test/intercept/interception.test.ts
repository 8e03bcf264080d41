import t from 'tap'
import type { InterceptConfig } from '../../src/config/config.ts'
import type { RunProgram } from '../../src/intercept/run-program.ts'
import { METADATA_ADDRESSES } from '../../src/lib/metadata-addresses.ts'
import { cannotNamespace, NetNamespace } from '../support/net-namespace.ts'
import { inside, onNode } from './on-node.ts'
import { withinServed } from './within-served.ts'

const skip = cannotNamespace('nft', 'sh', 'setpriv')

/** Everything that an interception could leave behind. */
async function traces(node: NetNamespace): Promise<string[]> {
  return [
    await node.must('nft', 'list', 'ruleset'),
    await node.ip('rule'),
    await node.ip('-6', 'rule'),
    await node.ip('-brief', 'address'),
  ]
}

for (const mode of ['redirect', 'bind'] as const) {
  t.test(
    `mode ${mode}: installed twice is installed once, and remove leaves no trace`,
    { skip },
    async (t) => {
      await using node = await NetNamespace.create('node')
      const bare = await traces(node)
      const interception = onNode(node, { mode, allow: [{ address: '169.254.169.254', port: 53 }] })
      t.equal((await interception.read()).generation, undefined)
      t.notSame((await interception.read()).drift, [])
      const [first] = await Promise.all([
        interception.install(),
        onNode(node, { mode, allow: [{ address: '169.254.169.254', port: 53 }] }).install(),
      ])
      t.strictSame(first.drift, [])
      const installed = await traces(node)
      t.strictSame(await interception.install(), first)
      t.strictSame(await traces(node), installed)
      t.strictSame([...first.ports.values()], mode === 'bind' ? [80, 80, 80] : [988, 988, 989])
      await interception.remove()
      await interception.remove()
      t.strictSame(await traces(node), bare)
      t.equal(await interception.renew(new Map([['169.254.169.254', new Set([988])]])), false)
    },
  )
}

t.test('of two that claim at once one wins, and the loser learns it', { skip }, async (t) => {
  await using node = await NetNamespace.create('node')
  const [a, b] = [onNode(node), onNode(node)]
  const { generation = 0 } = await a.install()
  const claims = await Promise.all([
    a.claim(new Map([['169.254.169.254', 1001]]), generation),
    b.claim(new Map([['169.254.169.254', 1002]]), generation),
  ])
  t.strictSame(
    claims.filter((claim) => claim !== undefined),
    [generation + 1],
  )
  const { ports, generation: after } = await a.read()
  t.equal(ports.get('169.254.169.254'), claims[0] === undefined ? 1002 : 1001)
  t.equal(ports.get('fd20:ce::254'), 989, 'what was not claimed stays')
  t.equal(after, generation + 1)
  await t.rejects(a.claim(new Map([['10.0.0.1', 1]]), after!), { code: 'INTERCEPT_FAILED' })
  await a.remove()
  t.equal(await a.claim(new Map([['169.254.169.254', 1]]), generation + 1), undefined)
})

t.test('a replacement keeps what others have claimed and said', { skip }, async (t) => {
  await using node = await NetNamespace.create('node')
  const [a, b] = [onNode(node), onNode(node)]
  const { generation = 0 } = await a.install()
  await a.claim(new Map([['169.254.169.254', 1001]]), generation)
  // What it needs to know of the rules beforehand, so that the replacement itself is quick.
  await b.read()
  const state = await withinServed(async () => {
    await a.renew(new Map([['169.254.169.254', new Set([988])]]))
    await b.renew(new Map([['169.254.169.254', new Set([1001])]]))
    await node.must('nft', 'flush', 'chain', 'inet', 'metadatad', 'raw')
    return await b.install({ reversePath: true })
  })
  t.equal(state.generation, generation + 1)
  t.equal(state.ports.get('169.254.169.254'), 1001)
  t.strictSame([...(state.served.get('169.254.169.254') ?? [])].sort(), [1001, 988])
  t.match(await node.must('nft', 'list', 'ruleset'), /chain reverse/)
  await a.install()
  t.match(await node.must('nft', 'list', 'ruleset'), /chain reverse/, 'undefined keeps the reverse-path rule')
  await a.install({ reversePath: false })
  t.notMatch(await node.must('nft', 'list', 'ruleset'), /chain reverse/)
})

const CHANGES: readonly (readonly [string, RegExp, string])[] = [
  [
    'a rule deleted',
    /"what is captured over IPv4" of the chain raw is missing/,
    'nft delete rule inet metadatad raw handle $(nft -a list table inet metadatad | sed -n "s/.*captured over IPv4.* handle //p")',
  ],
  [
    'a rule with the same comment but another content',
    /"what is captured over IPv4" of the chain raw is missing or changed/,
    'nft replace rule inet metadatad raw handle $(nft -a list table inet metadatad | sed -n "s/.*captured over IPv4.* handle //p") ip daddr 169.254.169.254 tcp dport 1-80 accept comment \\"what is captured over IPv4\\"',
  ],
  [
    'a rule inserted',
    /chain raw has 1 rule\(s\) that are not ours/,
    'nft insert rule inet metadatad raw accept',
  ],
  [
    'a rule twice',
    /chain capture has 1 rule\(s\) that are not ours/,
    'nft add rule inet metadatad capture iif lo accept comment \\"host processes are left alone\\"',
  ],
  [
    'rules in another order',
    /rules of the chain capture are in another order/,
    'nft "delete rule inet metadatad capture handle $(nft -a list chain inet metadatad capture | sed -n "s/.*left alone.* handle //p"); add rule inet metadatad capture iif lo accept comment \\"host processes are left alone\\""',
  ],
  ['an empty chain', /of the chain transit is missing/, 'nft flush chain inet metadatad transit'],
  ['a chain added', /the chain other is not ours/, 'nft add chain inet metadatad other'],
  [
    'a chain at another priority',
    /the chain gate is not defined as it should be/,
    'nft "flush chain inet metadatad gate; delete chain inet metadatad gate; add chain inet metadatad gate { type filter hook input priority 5; }"',
  ],
  [
    'a chain deleted',
    /the chain gate is missing/,
    'nft "flush chain inet metadatad gate; delete chain inet metadatad gate"',
  ],
  ['a set added', /the set other is not ours/, 'nft add set inet metadatad other "{ type mark; }"'],
  [
    'the table switched off',
    /the table is switched off/,
    'nft add table inet metadatad "{ flags dormant; }"',
  ],
  ['the table deleted', /the table inet metadatad is missing/, 'nft delete table inet metadatad'],
  [
    'the generation forgotten',
    /generation does not hold one number/,
    'nft flush set inet metadatad generation',
  ],
  [
    'two generations',
    /generation does not hold one number/,
    'nft add element inet metadatad generation "{ 5 }"',
  ],
  [
    'a capture forgotten',
    /169.254.169.254 is not redirected to 169.254.169.252/,
    'nft flush map inet metadatad capture4',
  ],
  [
    'a capture elsewhere',
    /169.254.169.254 is not redirected to 169.254.169.252/,
    'nft "flush map inet metadatad capture4; add element inet metadatad capture4 { 169.254.169.254 : 10.0.0.1 . 80 }"',
  ],
  [
    'a capture too many',
    /10.0.0.9 is redirected and should not be/,
    'nft add element inet metadatad capture4 "{ 10.0.0.9 : 10.0.0.1 . 80 }"',
  ],
  [
    'a port served for ever',
    /a served port has no end/,
    'nft add element inet metadatad served4 "{ 169.254.169.252 . 988 timeout 1h }"',
  ],
  [
    'an address removed',
    /the address 169.254.169.252 is not on lo/,
    'ip address del 169.254.169.252/32 dev lo',
  ],
  [
    'an IPv6 address removed',
    /the address fd6d:6574:6164:6174::252 is not on lo/,
    'ip address del fd6d:6574:6164:6174::252/128 dev lo',
  ],
  [
    'a policy route removed',
    /policy route of 168.63.129.16 is missing: blackhole/,
    'ip rule del pref 3 to 168.63.129.16 blackhole',
  ],
  [
    'an IPv6 policy route removed',
    /policy route of fd00:ec2::23 is missing: iif lo goto 4/,
    'ip -6 rule del pref 2 to fd00:ec2::23',
  ],
  [
    'a policy route added',
    /policy route of 169.254.169.254 should not be there: lookup main/,
    'ip rule add pref 2 to 169.254.169.254 lookup main',
  ],
  [
    'an exception that the configuration no longer has',
    /should not be there: ipproto 17 dport 53 goto 4/,
    'ip rule add pref 2 to 169.254.169.254 ipproto 17 dport 53 goto 4',
  ],
  [
    'all policy routes flushed',
    /policy route of 169.254.169.254 is missing/,
    'ip rule flush; ip rule add pref 32766 lookup main; ip rule add pref 32767 lookup default; ip -6 rule del pref 3 to fd00:ec2::254',
  ],
]

t.test('whatever somebody else changes is named, and mended', { skip }, async (t) => {
  await using node = await NetNamespace.create('node')
  const interception = onNode(node)
  await interception.install({ reversePath: true })
  const whole = await traces(node)
  // Rules of policy routing that were added again come last among those of the same preference.
  const withoutGeneration = (found: readonly string[]) =>
    found.map((text) =>
      text
        .replace(/elements = \{ 0x\w+ \}/, '')
        .split('\n')
        .sort(),
    )
  for (const [name, message, change] of CHANGES) {
    await node.must('sh', '-c', change)
    const { drift } = await interception.read()
    t.ok(
      drift.some((one) => message.test(one.message)),
      `${name}: ${JSON.stringify(drift)}`,
    )
    t.strictSame((await interception.install({ reversePath: true })).drift, [], `${name}: mended`)
    t.strictSame(withoutGeneration(await traces(node)), withoutGeneration(whole), `${name}: as before`)
  }
})

t.test('what would do harm is refused, and what mends it is named', { skip }, async (t) => {
  const resolver = { '/etc/resolv.conf': 'search x\nnameserver 169.254.169.254 # GCE\n' }
  const azure = { '/run/systemd/resolve/resolv.conf': 'nameserver 168.63.129.16\n' }
  const harm: readonly (readonly [
    string,
    Partial<InterceptConfig>,
    Record<string, string>,
    string[],
    RegExp,
    Partial<InterceptConfig>,
  ])[] = [
    [
      'the resolver of GCE',
      {},
      resolver,
      [],
      /intercept\.allow: \["169\.254\.169\.254:53"\]/,
      { allow: [{ address: '169.254.169.254', port: 53 }] },
    ],
    [
      'the resolver of Azure',
      {},
      azure,
      [],
      /intercept\.allow: \["168\.63\.129\.16:53"\]/,
      { allow: [{ address: '168.63.129.16', port: 53 }] },
    ],
    [
      'a resolver that would be bound',
      { mode: 'bind', allow: [{ address: '169.254.169.254', port: 53 }] },
      resolver,
      [],
      /intercept\.mode: redirect/,
      { mode: 'redirect' },
    ],
    [
      'the EKS Pod Identity agent',
      {},
      {},
      ['address', 'add', '169.254.170.23/32', 'dev', 'lo'],
      /keepPodIdentityAgent: true/,
      { keepPodIdentityAgent: true },
    ],
    [
      'the same over IPv6',
      {},
      {},
      ['address', 'add', 'fd00:ec2::23/128', 'dev', 'lo'],
      /keepPodIdentityAgent: true/,
      { keepPodIdentityAgent: true },
    ],
    [
      'Cilium',
      {},
      {},
      ['link', 'add', 'cilium_host', 'type', 'veth', 'peer', 'name', 'cilium_net'],
      /overlay `cilium`/,
      { trustPrerouting: true },
    ],
  ]
  for (const [name, config, files, command, advice, mend] of harm) {
    await using node = await NetNamespace.create('node')
    if (command.length > 0) await node.ip(...command)
    const bare = await traces(node)
    await t.rejects(
      onNode(node, config, { files }).install(),
      { code: 'INTERCEPT_REFUSED', publicMessage: advice },
      name,
    )
    t.strictSame(await traces(node), bare, `${name}: nothing is changed`)
    t.strictSame(
      (await onNode(node, { ...config, ...mend }, { files }).install()).drift,
      [],
      `${name}: mended`,
    )
  }
})

t.test('what is missing is named', { skip }, async (t) => {
  await using node = await NetNamespace.create('node')
  const unprivileged = inside(node, 'setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin')
  await t.rejects(onNode(node, {}, { run: unprivileged }).install(), {
    code: 'INTERCEPT_UNAVAILABLE',
    message: /CAP_NET_ADMIN/,
  })
  for (const [feature, name] of [
    ['dnat', 'nft_nat'],
    ['fib saddr', 'nft_fib_inet'],
  ] as const) {
    // An `nft` as it is on a kernel that was built without: it refuses what it can't do, whole.
    const script = `input=$(cat); case "$input" in *"${feature}"*) echo "Error: Could not process rule: Not supported" >&2; exit 1;; esac; printf '%s\\n' "$input" | "$@"`
    const poor: RunProgram = (program, args, options) =>
      (program === 'nft' && args.includes('-f') ? inside(node, 'sh', '-c', script, 'sh') : inside(node))(
        program,
        args,
        options,
      )
    await t.rejects(onNode(node, {}, { run: poor }).install({ reversePath: true }), {
      code: 'INTERCEPT_UNAVAILABLE',
      message: new RegExp(`lacks: [^,]*${name}[^,]*$`),
    })
  }
})

t.test('without IPv6 on the node, IPv6 is cut off all the same', { skip }, async (t) => {
  await using node = await NetNamespace.create('node')
  const interception = onNode(node, {}, { files: { '/proc/sys/net/ipv6/conf/lo/disable_ipv6': '1\n' } })
  t.strictSame(
    interception.captures.map(({ original }) => original.host),
    ['169.254.169.254'],
  )
  t.strictSame((await interception.install()).drift, [])
  const rules = await node.must('nft', 'list', 'table', 'inet', 'metadatad')
  for (const { address, family } of METADATA_ADDRESSES) {
    if (family === 6) t.match(await node.ip('-6', 'rule'), `${address} blackhole`)
  }
  t.notMatch(rules, /ip6 daddr .*accept/)
})

t.test('what is printed is what nft takes', { skip }, async (t) => {
  await using node = await NetNamespace.create('node')
  for (const mode of ['redirect', 'bind'] as const) {
    const { status, stderr } = await node.run('nft', ['-c', '-f', '-'], {
      input: onNode(node, { mode }).print(),
    })
    t.equal(status, 0, stderr)
  }
})
