import type { Said } from './run-scenario.ts'
import { SCENARIOS } from './scenarios.ts'
import { createWorld, type Place } from './world.ts'

// `inside.ts NAME PLACE` in the namespace that becomes the node: builds a world, lets the scenario happen in it, sends what
// was found, and leaves the clearing up to its parent.

const [name, place] = [process.argv[2], JSON.parse(process.argv[3]!) as Place]
process.once('disconnect', () => process.exit(1))
const scenario = SCENARIOS.find((it) => it.name === name)!
const said: Said = await createWorld(place, new AsyncDisposableStack())
  .then((world) => scenario.run(world))
  .then(
    (finding) => ({ finding }),
    (err: unknown) => ({ error: err instanceof Error ? (err.stack ?? err.message) : String(err) }),
  )
process.send!(said, () => process.exit())
