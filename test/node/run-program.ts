import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** How to run a program. */
export interface RunOptions {
  readonly input?: string
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** It is killed after this time; 60 s unless said. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/**
 * Runs a program to its end.
 *
 * @returns what it printed
 * @throws Error with what it said, if it fails
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  { input = '', timeoutMs = 60_000, ...options }: RunOptions = {},
): Promise<string> {
  const child = spawn(program, args, { ...options, stdio: 'pipe', timeout: timeoutMs, killSignal: 'SIGKILL' })
  let printed = ''
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4_000)
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [status, signal] = await once(child, 'close')
  if (status !== 0) {
    const how = status === null ? `was ended by ${signal}` : `ended with ${status}`
    throw new Error(`${[program, ...args].join(' ').slice(0, 300)} ${how}: ${said}${printed.slice(-1_000)}`)
  }
  return printed
}
