import { MetadatadError } from '../lib/errors.ts'

/**
 * Uses something that may have died unnoticed: if `use` fails with `EXCHANGE_SUBJECT_EXPIRED`, a new one is got and used,
 * once. What the second use throws is final.
 *
 * @param get called with nothing first, and with true for one that is surely new
 */
export async function withRenewal<S, T>(
  get: (renew?: true) => Promise<S>,
  use: (subject: S) => Promise<T>,
  onRenewal: () => void,
): Promise<T> {
  const first = await get()
  try {
    return await use(first)
  } catch (thrown) {
    if (!(thrown instanceof MetadatadError) || thrown.code !== 'EXCHANGE_SUBJECT_EXPIRED') throw thrown
  }
  onRenewal()
  return use(await get(true))
}
