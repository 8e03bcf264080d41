/** One thing that `intercept check` looked at. */
export interface Finding {
  /** undefined: not known. */
  readonly ok: boolean | undefined
  /** A statement of what was found, lower case and without a period. */
  readonly what: string
  /** What to do about it, in a sentence. */
  readonly advice?: string
}
