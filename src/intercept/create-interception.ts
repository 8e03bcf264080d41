import { readFileSync } from 'node:fs'
import type { InterceptConfig } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import { deadlineIn } from '../lib/deadline.ts'
import type { Log } from '../lib/log.ts'
import { claimPorts } from './claim-ports.ts'
import { installPlan } from './install-plan.ts'
import { interceptPlan } from './intercept-plan.ts'
import type { Interception, InterceptState } from './interception.ts'
import { driftOf, type KernelView, kernelView } from './kernel-view.ts'
import type { ListedTable } from './listed-table.ts'
import { printPlan } from './print-plan.ts'
import { type Programs, programs } from './programs.ts'
import { referenceTable } from './reference-table.ts'
import { refuseHarm } from './refuse-harm.ts'
import { removePlan } from './remove-plan.ts'
import { renewServed } from './renew-served.ts'
import { reversePathSafe } from './reverse-path-safe.ts'
import type { RunProgram } from './run-program.ts'

const DEADLINE_MS = 5_000

export interface InterceptionOptions {
  readonly mode: 'redirect' | 'bind'
  readonly config: InterceptConfig
  /** The addresses at which container credentials are answered (`listen.containerCredentials`). */
  readonly containerCredentials?: readonly string[]
  readonly run: RunProgram
  /** Reads a small file of this node (`/etc/resolv.conf`, `/proc/sys/…`); throws where it is not there. */
  readonly readFile?: (path: string) => string
  readonly clock: Clock
  readonly log: Log
}

/** The interception of this node: the network namespace that `run` and `readFile` see. Changes nothing by itself. */
export function createInterception(options: InterceptionOptions): Interception {
  const { mode, config, clock, log, readFile = (path: string) => readFileSync(path, 'utf8') } = options
  const plan = interceptPlan(mode, config, ipv6Of(readFile), options.containerCredentials)
  let reference: ListedTable | undefined
  // What is in place as it should be is never refused, nor its mending: what a refusal protects is cut already.
  let installed = false

  /** Runs one method's programs, all ended by its deadline. */
  async function within<T>(signal: AbortSignal | undefined, act: (run: Programs) => Promise<T>): Promise<T> {
    using deadline = deadlineIn(clock, DEADLINE_MS, signal)
    return await act(programs(options.run, deadline.signal))
  }

  const view = (run: Programs): Promise<KernelView> =>
    kernelView(plan, run, async () => {
      reference ??= await referenceTable(plan, run)
      return reference
    })

  function stateOf(seen: KernelView): InterceptState {
    const { table } = seen
    const servedAt = (host: string) =>
      new Set(table?.served.filter((one) => one.host === host).map(({ port }) => port))
    return {
      generation: table?.generation,
      ports: table?.ports ?? new Map(),
      served: new Map(
        table ? plan.captures.map((one) => [one.original.host, servedAt(one.primary.host)]) : [],
      ),
      reversePath: table?.reversePath ?? false,
      drift: driftOf(seen),
    }
  }

  return {
    captures: plan.captures,
    read: (signal) => within(signal, async (run) => stateOf(await view(run))),
    install: ({ reversePath } = {}, signal) =>
      within(signal, async (run) => {
        const isChange = !installed && driftOf(await view(run)).length > 0
        if (isChange) await refuseHarm(plan, config, run, readFile)
        const seen = await installPlan({
          plan,
          programs: run,
          clock,
          log,
          reversePath,
          view: () => view(run),
        })
        installed = true
        return stateOf(seen)
      }),
    claim: (ports, generation, signal) => within(signal, (run) => claimPorts(plan, run, ports, generation)),
    renew: (ports, signal) => within(signal, (run) => renewServed(plan, run, ports, 'renewed')),
    release: (ports, signal) =>
      within(signal, async (run) => {
        await renewServed(plan, run, ports, 'released')
      }),
    reversePathSafe: (addresses, signal) => within(signal, (run) => reversePathSafe(addresses, run)),
    remove: (signal) =>
      within(signal, async (run) => {
        await removePlan(plan, run)
        installed = false
      }),
    print: () => printPlan(plan),
  }
}

/** Linux Documentation/networking/ip-sysctl.rst, `disable_ipv6`. */
function ipv6Of(readFile: (path: string) => string): 'captured' | 'guarded' | 'absent' {
  try {
    return readFile('/proc/sys/net/ipv6/conf/lo/disable_ipv6').trim() === '0' ? 'captured' : 'guarded'
  } catch {
    return 'absent'
  }
}
