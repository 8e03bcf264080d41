import { crash } from '../crash.ts'
import type { Scenario } from '../scenario.ts'

/** The daemon is killed under load, and started again 1.5 s later. */
export const killed: Scenario = {
  name: 'kill-9',
  async run(world) {
    const daemon = await world.startDaemon()
    await daemon.ready()
    const { seen, failures, note } = await crash(world, daemon)
    return {
      requests: seen.requests,
      failures,
      packetsAtCloud: await world.packetsAtCloud(),
      wrongIdentities: seen.wrongIdentities,
      note,
    }
  },
}
