import type { InterceptConfig } from '../config/config.ts'
import { canonicalAddress } from '../lib/address.ts'
import { interceptError } from './intercept-error.ts'
import { type InterceptPlan, POD_IDENTITY_AGENT } from './intercept-plan.ts'
import { arrayOf, objectOf, parseJson } from './json-values.ts'
import type { Programs } from './programs.ts'

/** resolv.conf(5), and what systemd-resolved(8) asks behind its own address. */
const RESOLVER_FILES = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']

/**
 * Installing must not cut the cluster's DNS off, take an address from another agent, or pretend to work where packets skip
 * the rules.
 *
 * @param readFile throws for a file that is not there
 * @throws MetadatadError `INTERCEPT_REFUSED`
 */
export async function refuseHarm(
  plan: InterceptPlan,
  config: InterceptConfig,
  programs: Programs,
  readFile: (path: string) => string,
): Promise<void> {
  refuseResolver(plan, readFile)
  const links = arrayOf(parseJson(await programs.must('ip', ['-j', '-d', 'address', 'show']))).map(objectOf)
  refuseAgent(plan, links)
  if (!config.trustPrerouting) refuseCilium(links)
}

function refuseResolver(plan: InterceptPlan, readFile: (path: string) => string): void {
  for (const file of RESOLVER_FILES) {
    for (const address of nameservers(readFile, file)) {
      if (!plan.guarded.includes(address)) continue
      const named = `the resolver ${address} of ${file} is a metadata address`
      if (plan.addresses.includes(address)) {
        throw interceptError(
          'INTERCEPT_REFUSED',
          `${named}, and intercept.mode: bind would take it over`,
          'Set intercept.mode: redirect, which leaves it to the processes of the node.',
        )
      }
      if (plan.allow.some((allowed) => allowed.address === address && allowed.port === 53)) continue
      const line = `intercept.allow: ["${address}:53"]`
      throw interceptError(
        'INTERCEPT_REFUSED',
        `${named}, and cluster DNS, which forwards to it from a pod, would be cut off`,
        `Add ${line} to the configuration, or let cluster DNS forward elsewhere.`,
      )
    }
  }
}

function nameservers(readFile: (path: string) => string, file: string): string[] {
  let text: string
  try {
    text = readFile(file)
  } catch {
    return []
  }
  return [...text.matchAll(/^[ \t]*nameserver[ \t]+([^\s#;]+)/gm)].flatMap(
    ([, address]) => canonicalAddress(address!) ?? [],
  )
}

function refuseAgent(plan: InterceptPlan, links: readonly Readonly<Record<string, unknown>>[]): void {
  for (const { ifname, addr_info } of links) {
    for (const info of arrayOf(addr_info)) {
      const local = objectOf(info).local
      if (!POD_IDENTITY_AGENT.some((address) => address === local)) continue
      if (!plan.guarded.some((address) => address === local)) continue
      const captured = plan.captures.some(({ original }) => original.host === local)
      if (captured && ifname === 'lo' && plan.addresses.some((address) => address === local)) continue
      throw interceptError(
        'INTERCEPT_REFUSED',
        `${local} is an address of this node already (on ${ifname}): the EKS Pod Identity agent runs here`,
        captured
          ? 'Take the address out of listen.containerCredentials and set intercept.keepPodIdentityAgent: true, or remove the agent.'
          : 'Set intercept.keepPodIdentityAgent: true to leave it that address, or remove the agent.',
      )
    }
  }
}

function refuseCilium(links: readonly Readonly<Record<string, unknown>>[]): void {
  const link = links.find(
    ({ ifname, linkinfo }) => ifname === 'cilium_host' || objectOf(linkinfo).info_kind === 'netkit',
  )
  if (!link) return
  throw interceptError(
    'INTERCEPT_REFUSED',
    `the interface ${link.ifname} shows Cilium, whose eBPF host routing lets packets of pods skip these rules`,
    'Use the overlay `cilium` (intercept.mode: none), or, only where `cilium status` says "Host Routing: Legacy", set intercept.trustPrerouting: true.',
  )
}
