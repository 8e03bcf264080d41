import type { InterceptConfig } from '../../src/config/config.ts'
import { createInterception } from '../../src/intercept/create-interception.ts'
import type { Interception } from '../../src/intercept/interception.ts'
import type { RunProgram } from '../../src/intercept/run-program.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import type { NetNamespace } from '../support/net-namespace.ts'

/** The `intercept` section with nothing special. */
export const PLAIN: InterceptConfig = {
  mode: 'redirect',
  allow: [],
  keepPodIdentityAgent: false,
  trustPrerouting: false,
  probe: 'metadatad/metadatad-probe',
}

/** The interception of a namespace, whose other files are the given ones alone. */
export function onNode(
  node: NetNamespace,
  config: Partial<InterceptConfig> = {},
  { files = {}, run = inside(node) }: { files?: Readonly<Record<string, string>>; run?: RunProgram } = {},
): Interception {
  const all: Readonly<Record<string, string>> = {
    '/proc/sys/net/ipv6/conf/lo/disable_ipv6': '0\n',
    ...files,
  }
  const merged = { ...PLAIN, ...config }
  return createInterception({
    mode: merged.mode === 'bind' ? 'bind' : 'redirect',
    config: merged,
    run,
    readFile(path) {
      const text = all[path]
      if (text === undefined) throw new Error(`ENOENT: ${path}`)
      return text
    },
    clock: systemClock,
    log: silentLog,
  })
}

/** Runs the programs inside a namespace, with what `wrapper` leaves them: `['setpriv', …]`. */
export function inside(node: NetNamespace, ...wrapper: readonly string[]): RunProgram {
  return async (program, args, { input } = {}) => {
    const [first = '', ...rest] = [...wrapper, program, ...args]
    const ran = await node.run(first, rest, input === undefined ? {} : { input })
    return { ...ran, status: ran.status ?? undefined }
  }
}
