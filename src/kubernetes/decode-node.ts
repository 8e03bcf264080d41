import { canonicalAddress } from '../lib/address.ts'
import { elements, fields, text, time } from './json-fields.ts'
import { pickStrings } from './pick-strings.ts'
import type { Node } from './types.ts'

/**
 * Reads a core/v1 Node. Total.
 *
 * @returns undefined if it has no name, UID or time of creation
 */
export function decodeNode(object: unknown): Node | undefined {
  const { metadata: rawMetadata, spec, status } = fields(object)
  const metadata = fields(rawMetadata)
  const name = text(metadata.name)
  const uid = text(metadata.uid)
  const createdAt = time(metadata.creationTimestamp)
  if (name === undefined || uid === undefined || createdAt === undefined) return undefined
  const addresses = elements(fields(status).addresses).map(fields)
  const internal = addresses
    .filter(({ type }) => type === 'InternalIP')
    .map(({ address }) => canonicalAddress(text(address) ?? ''))
    .filter((address) => address !== undefined)
  return {
    name,
    uid,
    createdAt,
    labels: pickStrings(metadata.labels, () => true),
    providerId: text(fields(spec).providerID),
    internalIps: [...new Set(internal)],
    hostname: text(addresses.find(({ type }) => type === 'Hostname')?.address),
  }
}
