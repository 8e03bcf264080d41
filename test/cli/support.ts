import { runCli } from '../../src/cli/run-cli.ts'

/** Runs one command line in this process, with an environment of its own. */
export async function cli(
  args: readonly string[],
  {
    env = {},
    signal = new AbortController().signal,
  }: { env?: Record<string, string>; signal?: AbortSignal } = {},
) {
  const stdout: string[] = []
  const stderr: string[] = []
  const code = await runCli(args, {
    stdout: { write: (text) => stdout.push(text) },
    stderr: { write: (text) => stderr.push(text) },
    env: { NODE_NAME: 'node-1', ...env },
    signal,
  })
  return { code, stdout: stdout.join(''), stderr: stderr.join('') }
}

/** Flags that are a whole configuration. */
export const MINIMAL_FLAGS = [
  '--google-project-id=my-project',
  '--google-workload-identity-provider=projects/1/locations/global/workloadIdentityPools/pool/providers/cluster',
]
