import * as v from 'valibot'
import { canonicalAddress } from '../lib/address.ts'
import { METADATA_ADDRESSES } from '../lib/metadata-addresses.ts'
import type { AllowedAddress } from './config.ts'
import { checkedList } from './fields.ts'
import { parseListenAddress } from './parse-listen-address.ts'

/** A list of `address:port`; each comes out as an {@link AllowedAddress}. */
export function allowedAddresses(meta: Parameters<typeof checkedList>[1]) {
  return v.pipe(
    checkedList((text) => (parse(text) === undefined ? refusal() : undefined), meta),
    v.transform((texts) => texts.map((text) => parse(text)!)),
  )
}

function parse(text: string): AllowedAddress | undefined {
  const parsed = parseListenAddress(text)
  const address = parsed && canonicalAddress(parsed.host)
  const port = parsed?.port
  if (address === undefined || (port !== 53 && port !== 123)) return undefined
  return METADATA_ADDRESSES.some((known) => known.address === address) ? { address, port } : undefined
}

function refusal(): string {
  const addresses = METADATA_ADDRESSES.map(({ address }) => address).join(', ')
  return `must be one of the metadata addresses (${addresses}) with port 53 or 123, such as 169.254.169.254:53`
}
