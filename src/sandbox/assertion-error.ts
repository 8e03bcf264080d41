import type { Claims } from './claims.ts'

/**
 * What is wrong with an assertion: it is no JWT; its issuer is another one; the issuer can't be asked, or shows no usable
 * documents; it has no such key; the signature (or the algorithm, or the key itself) is bad; a claim is missing or wrong;
 * it has ended.
 */
export type AssertionFault =
  | 'malformed'
  | 'issuer'
  | 'unreachable'
  | 'documents'
  | 'key'
  | 'signature'
  | 'claim'
  | 'expired'

/** An assertion that can't be believed. Each cloud has its own words for it. */
export class AssertionError extends Error {
  readonly fault: AssertionFault
  /** The claim at fault, where it is one. */
  readonly claim: string | undefined
  /** What the assertion says, unverified; empty where it can't be read. */
  readonly claims: Claims

  constructor(
    fault: AssertionFault,
    message: string,
    about: { readonly claim?: string; readonly claims?: Claims } = {},
  ) {
    super(message)
    this.name = 'AssertionError'
    this.fault = fault
    this.claim = about.claim
    this.claims = about.claims ?? {}
  }
}
