import type { LiveReader } from '../caller/live-reader.ts'
import type { PodIndex } from '../caller/pod-index.ts'
import type { HostFiles } from '../caller/proof/host-files.ts'
import { openHostView } from '../caller/proof/host-view.ts'
import { createProofStrategy } from '../caller/proof/proof-strategy.ts'
import { whereUnprovable } from '../caller/proof/where-unprovable.ts'
import type { IdentificationStrategy } from '../caller/strategy.ts'
import { createWatchStrategy } from '../caller/watch-strategy.ts'
import type { Config } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import { MetadatadError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'

/** What the strategies are made with. */
export interface StrategiesOptions {
  readonly caller: Config['caller']
  readonly pods: PodIndex
  readonly reader: LiveReader
  readonly watchConfirmedAt: () => number
  /** The machine's own unless a test says otherwise. */
  readonly hostFiles: HostFiles | undefined
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/**
 * How connections are tied to pods, in the order in which they are asked: by proof where it is wanted and the host can be
 * seen, then by the watch.
 *
 * @throws MetadatadError `HOST_VIEW_MISSING` if proof is required
 */
export async function createStrategies(options: StrategiesOptions): Promise<IdentificationStrategy[]> {
  const { caller, pods, hostFiles } = options
  const byWatch = createWatchStrategy({ ...options, ...caller, index: pods })
  if (caller.proof === 'off') return [byWatch]
  const { procRoot, cgroupRoot } = caller
  const host = await openHostView({ procRoot, cgroupRoot, files: hostFiles })
  if (host !== undefined)
    return [
      createProofStrategy({ ...options, ...caller, mode: caller.proof, host }),
      whereUnprovable(byWatch, caller.sandboxedRuntimes),
    ]
  if (caller.proof === 'require') throw hostViewMissing(cgroupRoot)
  options.log.warn({ procRoot, cgroupRoot }, 'the kernel can not prove who calls: no view of the host')
  return [byWatch]
}

function hostViewMissing(cgroupRoot: string): MetadatadError {
  return new MetadatadError(
    'HOST_VIEW_MISSING',
    `caller.proof is require, but the host's processes or the kubelet's cgroups under ${cgroupRoot} can't be seen`,
    {
      fault: 'policy',
      retryable: false,
      publicMessage:
        "Give the daemon's pod hostPID and the host's cgroups (caller.cgroupRoot), or set caller.proof to prefer.",
    },
  )
}
