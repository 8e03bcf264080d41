import type { AzureFactValues } from './azure-pipeline.ts'

/** A leaf, an object or a list of what real IMDS has under `/metadata/instance`. */
export type InstanceNode = string | readonly InstanceNode[] | { readonly [name: string]: InstanceNode }

/**
 * The instance as pods may see it: where it is and what it is, in the shape of the given version. What names the machine, its
 * subscription or its owner is empty, as real IMDS has what it does not know; what holds user data or keys is not there.
 *
 * @param version one of `API_VERSIONS`; each field is there since the version beside it (Microsoft Learn, "Instance metadata")
 */
export function instanceTree(facts: AzureFactValues, version: string): InstanceNode {
  const compute: readonly (readonly [since: string, name: string, value: string])[] = [
    ['2018-10-01', 'azEnvironment', facts.azEnvironment],
    ['2017-04-02', 'location', facts.location],
    ['2017-04-02', 'name', facts.name],
    ['2017-04-02', 'offer', ''],
    ['2017-04-02', 'osType', 'Linux'],
    ['2017-04-02', 'platformFaultDomain', ''],
    ['2017-04-02', 'platformUpdateDomain', ''],
    ['2017-04-02', 'publisher', ''],
    ['2017-08-01', 'resourceGroupName', ''],
    ['2019-03-11', 'resourceId', ''],
    ['2017-04-02', 'sku', ''],
    ['2017-08-01', 'subscriptionId', ''],
    ['2017-08-01', 'tags', ''],
    ['2017-04-02', 'version', ''],
    ['2017-04-02', 'vmId', ''],
    ['2017-12-01', 'vmScaleSetName', ''],
    ['2017-04-02', 'vmSize', facts.vmSize],
    ['2017-12-01', 'zone', facts.zone],
  ]
  const present = compute.filter(([since]) => version >= since).map(([, name, value]) => [name, value])
  const ipv4 = {
    ipAddress: [{ privateIpAddress: facts.privateIpAddress, publicIpAddress: '' }],
    subnet: [{ address: '', prefix: '' }],
  }
  return {
    compute: Object.fromEntries(present),
    network: { interface: [{ ipv4, ipv6: { ipAddress: [] }, macAddress: '' }] },
  }
}

/** What is at the end of a path of names and indices; undefined if there is nothing. Total. */
export function findInstanceNode(root: InstanceNode, path: readonly string[]): InstanceNode | undefined {
  let node: InstanceNode | undefined = root
  for (const segment of path) {
    if (node === undefined || typeof node === 'string') return undefined
    if (Array.isArray(node)) node = /^\d{1,3}$/.test(segment) ? node[Number(segment)] : undefined
    else
      node = Object.hasOwn(node, segment)
        ? (node as Readonly<Record<string, InstanceNode>>)[segment]
        : undefined
  }
  return node
}
