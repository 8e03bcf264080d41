import type { Pod } from '../kubernetes/types.ts'

/** Who owns one address, as the watch tells it. */
export interface AddressClaim {
  /** One in the ordinary case, none for a stranger, two while an address changes hands. */
  readonly owners: readonly Pod[]
  /** False once anything about the owners may have changed; never true again. */
  readonly valid: boolean
}
