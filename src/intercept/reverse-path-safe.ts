import { canonicalAddress } from '../lib/address.ts'
import { familyOf } from './intercept-plan.ts'
import { arrayOf, objectOf, parseJson } from './json-values.ts'
import type { Programs } from './programs.ts'

/** More pods than any node runs (Kubernetes' own limit is 110, clouds go to 256); each is a line for `ip`. */
const MAX_ADDRESSES = 2_048
const POD_LINKS: readonly unknown[] = ['veth', 'bridge']

/**
 * Is every address routed straight to a veth or a bridge? What can't be told counts as no.
 *
 * @param addresses of pods
 */
export async function reversePathSafe(addresses: readonly string[], programs: Programs): Promise<boolean> {
  const known = [...new Set(addresses.map(canonicalAddress))]
  if (known.length === 0 || known.length > MAX_ADDRESSES) return false
  if (!known.every((address) => address !== undefined)) return false
  const links = arrayOf(parseJson(await programs.must('ip', ['-j', '-d', 'link', 'show']))).map(objectOf)
  const podLinks = new Set(
    links
      .filter(({ linkinfo }) => POD_LINKS.includes(objectOf(linkinfo).info_kind))
      .map(({ ifname }) => ifname),
  )
  for (const family of [4, 6] as const) {
    const some = known.filter((address) => familyOf(address) === family)
    if (some.length === 0) continue
    const lines = some.map((address) => `route get ${address}\n`).join('')
    const { status, stdout } = await programs.run('ip', ['-j', `-${family}`, '-batch', '-'], lines)
    const routes = stdout.split('\n').flatMap((line) => arrayOf(parseJson(line)).map(objectOf))
    if (status !== 0 || routes.length !== some.length) return false
    if (!routes.every(({ dev, gateway, via }) => podLinks.has(dev) && !gateway && !via)) return false
  }
  return true
}
