/** What a program that was run to its end left behind. */
export interface ProgramResult {
  /** undefined if it was ended by a signal. */
  readonly status: number | undefined
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs `nft` or `ip` with `input` on its standard input, and waits for its end.
 *
 * @throws the error of `spawn` (`code` is `ENOENT` where the program is missing), or the signal's reason
 */
export type RunProgram = (
  program: 'nft' | 'ip',
  args: readonly string[],
  options?: { readonly input?: string; readonly signal?: AbortSignal },
) => Promise<ProgramResult>
