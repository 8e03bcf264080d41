import { MemoryHost } from '../../caller/proof/memory-host.ts'

/**
 * What the kernel of the node shows: the cgroups, processes, addresses and sockets that the scenario's pods really have at this
 * moment, whatever the API server says of them. A pod has one process here.
 */
export class NodeKernel extends MemoryHost {
  constructor() {
    super()
    this.quick = true
  }

  /** As the general one, which looks at every cgroup of the node for each pod that it is asked for. */
  override async directories(path: string): Promise<readonly string[]> {
    if (!path.includes('/pod')) return super.directories(path)
    return this.cgroups.has(`${path}/sandbox`) ? ['sandbox'] : []
  }
}
