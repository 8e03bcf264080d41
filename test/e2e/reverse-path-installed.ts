import { eventually } from '../support/eventually.ts'
import { whatIsInPlace } from './in-place.ts'

/** Resolves when the rule against spoofing is there: it comes once the node's pods and their routes are known. */
export async function reversePathInstalled(): Promise<void> {
  await eventually(whatIsInPlace, ({ rules }) => rules.some(({ chain }) => chain === 'reverse'))
}
