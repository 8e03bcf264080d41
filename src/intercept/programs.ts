import { interceptError } from './intercept-error.ts'
import type { ProgramResult, RunProgram } from './run-program.ts'

/** `nft` and `ip`, with failures in the words of {@link Interception}. */
export interface Programs {
  /** Runs one to its end, whatever its status; a missing program or right is thrown. */
  run(program: 'nft' | 'ip', args: readonly string[], input?: string): Promise<ProgramResult>
  /** The same, but every failure is thrown. @returns what it printed */
  must(program: 'nft' | 'ip', args: readonly string[], input?: string): Promise<string>
}

/** @param signal ends what is running */
export function programs(runProgram: RunProgram, signal: AbortSignal): Programs {
  async function run(program: 'nft' | 'ip', args: readonly string[], input?: string): Promise<ProgramResult> {
    let result: ProgramResult
    try {
      result = await runProgram(program, args, { signal, ...(input === undefined ? {} : { input }) })
    } catch (err) {
      throw notRun(program, err)
    }
    if (result.status !== 0 && /Operation not permitted|Permission denied/.test(result.stderr)) {
      throw interceptError(
        'INTERCEPT_UNAVAILABLE',
        `${program} may not change the network: the right CAP_NET_ADMIN is missing`,
        'Run as root with the capability NET_ADMIN, in the network namespace of the node.',
      )
    }
    return result
  }
  return {
    run,
    async must(program, args, input) {
      const result = await run(program, args, input)
      if (result.status !== 0) throw failed(program, result)
      return result.stdout
    },
  }
}

/** What a program said when it failed, as an error. */
export function failed(program: string, { status, stderr }: ProgramResult): Error {
  const said = stderr.trim().slice(0, 512) || 'it said nothing'
  return interceptError(
    'INTERCEPT_FAILED',
    `${program} failed (${status ?? 'ended by a signal'}): ${said}`,
    'It is tried again; if it goes on, look at what else changes the rules of this node.',
  )
}

function notRun(program: string, err: unknown): Error {
  const code = (err as NodeJS.ErrnoException | undefined)?.code
  if (code === 'ENOENT' || code === 'EACCES') {
    const of = program === 'nft' ? 'nftables' : 'iproute2'
    return interceptError(
      'INTERCEPT_UNAVAILABLE',
      `the program ${program} is not on PATH (${code})`,
      `Install ${of}, or use the project's image, which has it.`,
      err,
    )
  }
  return interceptError('INTERCEPT_FAILED', `${program} did not end in time`, 'It is tried again.', err)
}
