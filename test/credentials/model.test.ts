import fc from 'fast-check'
import t from 'tap'
import type { Action } from './action.ts'
import { ACCOUNTS, PODS, SPECS, World } from './world.ts'

const RUNS = Number(process.env.METADATAD_MODEL_RUNS ?? 200)
const SEED = process.env.METADATAD_MODEL_SEED

// No less than the runner's own: a starved machine takes a minute for what else takes seconds.
t.setTimeout(900_000 + RUNS * 100)

const pod = fc.nat(PODS - 1)
const spec = fc.nat(SPECS - 1)
const account = fc.nat(ACCOUNTS - 1)

/** Actions with their weights: mostly requests and time, now and then something that goes wrong. */
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant('get' as const),
      pod,
      spec,
      patience: fc.constantFrom(0, 50, 450, 900, 20_000),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom('peek' as const, 'prefetch' as const), pod, spec }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(0, 1, 20, 100, 300, 1_000, 9_000, 60_000, 600_000, 1_900_000, 4_000_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('cloud' as const),
      mood: fc.constantFrom('well', 'well', 'well', 'failing', 'refusing', 'silent', 'expired'),
      latency: fc.constantFrom(0, 0, 20, 400, 3_000, 12_000),
      life: fc.constantFrom(3_600_000, 3_600_000, 20_000, 1_500),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sour' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('die' as const, 'gone' as const), pod }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('changed' as const, 'replaced' as const), account }),
  },
)

t.test('no history of pods, time and failures leads to a wrong answer', async (t) => {
  let given = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { minLength: 1, maxLength: 80, size: 'max' }),
      fc.boolean(),
      fc.nat(),
      async (history, tight, seed) => {
        const world = new World({ tight, random: pseudoRandom(seed) })
        for (const step of history) {
          await world.play(step)
          if (world.violations.length > 0) break
        }
        if (world.violations.length === 0) await world.end()
        given += world.given
        if (world.violations.length > 0) throw new Error(world.violations.join('\n'))
      },
    ),
    { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
  )
  t.comment(`${RUNS} histories, ${given} credentials given`)
  t.ok(given > RUNS, 'the histories are not empty of answers')
})

/** Uniform in [0, 1), the same for the same seed (a 32-bit linear congruential generator). */
function pseudoRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
