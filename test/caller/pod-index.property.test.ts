import fc from 'fast-check'
import t from 'tap'
import type { AddressClaim } from '../../src/caller/address-claim.ts'
import { PodIndex } from '../../src/caller/pod-index.ts'
import { objectKey, type Pod } from '../../src/kubernetes/types.ts'
import { pod } from './build.ts'

const ADDRESSES = ['10.0.0.1', '10.0.0.2', '10.0.0.3', 'fd00::1']
const NAMES = ['a', 'b', 'c', 'd']

const anyPod: fc.Arbitrary<Pod> = fc
  .record({
    name: fc.constantFrom(...NAMES),
    incarnation: fc.nat(2),
    ips: fc.array(fc.constantFrom(...ADDRESSES), { maxLength: 4 }),
    phase: fc.constantFrom('Pending', 'Running', 'Running', 'Succeeded', 'Failed', 'Unknown'),
    hostNetwork: fc.integer({ max: 7, min: 0 }).map((n) => n === 0),
    sandboxGone: fc.integer({ max: 5, min: 0 }).map((n) => n === 0),
    terminating: fc.boolean(),
  })
  .map(({ name, incarnation, ...fields }) => pod(name, { uid: `uid-${name}-${incarnation}`, ...fields }))
const upsert = anyPod.map((it) => ({ upsert: it }))
const remove = fc.constantFrom(...NAMES).map((name) => ({ remove: `ns/${name}` }))
const steps = fc.array(fc.oneof({ weight: 3, arbitrary: upsert }, { weight: 1, arbitrary: remove }), {
  maxLength: 60,
})

/** Who owns the address, worked out anew from all pods. */
function ownersOf(address: string, pods: Iterable<Pod>): Set<Pod> {
  const owns = (it: Pod) =>
    !it.hostNetwork && it.phase !== 'Succeeded' && it.phase !== 'Failed' && !it.sandboxGone
  return new Set([...pods].filter((it) => owns(it) && it.ips.includes(address)))
}

function isSame(a: ReadonlySet<Pod>, b: ReadonlySet<Pod>): boolean {
  return a.size === b.size && [...a].every((it) => b.has(it))
}

t.test('after any events the index is what one would work out anew', async (t) => {
  fc.assert(
    fc.property(steps, (events) => {
      const index = new PodIndex()
      const model = new Map<string, Pod>()
      for (const event of events) {
        if ('upsert' in event) {
          index.upsert(event.upsert)
          model.set(objectKey(event.upsert), event.upsert)
        } else {
          index.remove(event.remove)
          model.delete(event.remove)
        }
        const uids = new Set([...model.values()].map(({ uid }) => uid))
        for (const address of ADDRESSES) {
          const { owners } = index.claim(address)
          if (new Set(owners).size !== owners.length) return false
          if (!isSame(new Set(owners), ownersOf(address, model.values()))) return false
        }
        for (const name of NAMES) {
          for (let n = 0; n <= 2; n++) {
            const uid = `uid-${name}-${n}`
            if ((index.byUid(uid) !== undefined) !== uids.has(uid)) return false
          }
        }
        if (index.size !== model.size || [...index.keys()].some((key) => !model.has(key))) return false
      }
      return true
    }),
    { numRuns: 500 },
  )
  t.pass('500 histories')
})

t.test('a claim turns invalid when its owners change, not otherwise, and never valid again', async (t) => {
  fc.assert(
    fc.property(steps, (events) => {
      const index = new PodIndex()
      const model = new Map<string, Pod>()
      const valid: { address: string; owners: Set<Pod>; claim: AddressClaim }[] = []
      const invalid: AddressClaim[] = []
      for (const event of events) {
        for (const address of ADDRESSES) {
          const claim = index.claim(address)
          valid.push({ address, owners: new Set(claim.owners), claim })
        }
        if ('upsert' in event) {
          index.upsert(event.upsert)
          model.set(objectKey(event.upsert), event.upsert)
        } else {
          index.remove(event.remove)
          model.delete(event.remove)
        }
        for (const { address, owners, claim } of valid.splice(0)) {
          const changed = !isSame(owners, ownersOf(address, model.values()))
          if (changed && claim.valid) return false
          // That nobody has an address may be doubted whenever a pod goes: it may have had it in between.
          if (!changed && owners.size > 0 && !claim.valid) return false
          if (claim.valid) valid.push({ address, owners, claim })
          else invalid.push(claim)
        }
        if (invalid.some((claim) => claim.valid)) return false
      }
      return true
    }),
    { numRuns: 300 },
  )
  t.pass('300 histories')
})

t.test('waiting for an address ends with every change of its owners, and with no other', async (t) => {
  fc.assert(
    fc.property(steps, (events) => {
      const index = new PodIndex()
      const woken = new Map<string, number>()
      const stops = ADDRESSES.map((address) =>
        index.onAddressChange(address, () => woken.set(address, (woken.get(address) ?? 0) + 1)),
      )
      const model = new Map<string, Pod>()
      for (const event of events) {
        const before = ADDRESSES.map((address) => ownersOf(address, model.values()))
        woken.clear()
        if ('upsert' in event) {
          index.upsert(event.upsert)
          model.set(objectKey(event.upsert), event.upsert)
        } else {
          index.remove(event.remove)
          model.delete(event.remove)
        }
        for (const [i, address] of ADDRESSES.entries()) {
          const changed = !isSame(before[i]!, ownersOf(address, model.values()))
          if (changed !== woken.has(address)) return false
        }
      }
      for (const stop of stops) stop()
      woken.clear()
      for (const name of NAMES) index.remove(`ns/${name}`)
      return woken.size === 0
    }),
    { numRuns: 300 },
  )
  t.pass('300 histories')
})

t.test('listeners hear of every pod once as new and once as gone, with its own UID throughout', async (t) => {
  fc.assert(
    fc.property(steps, (events) => {
      const index = new PodIndex()
      const alive = new Map<string, Pod>()
      let ok = true
      index.listen({
        podSeen(next, previous) {
          ok &&= alive.get(next.uid) === previous
          ok &&= previous === undefined || previous.uid === next.uid
          alive.set(next.uid, next)
        },
        podGone(gone) {
          ok &&= alive.get(gone.uid) === gone
          alive.delete(gone.uid)
        },
      })
      for (const event of events) {
        if ('upsert' in event) index.upsert(event.upsert)
        else index.remove(event.remove)
        ok &&= alive.size === index.size
      }
      for (const name of NAMES) index.remove(`ns/${name}`)
      return ok && alive.size === 0 && index.size === 0
    }),
    { numRuns: 300 },
  )
  t.pass('300 histories')
})

t.test('a claim of nobody stays invalid after the address came and went', async (t) => {
  const index = new PodIndex()
  const claim = index.claim('10.0.0.1')
  t.equal(claim.valid, true)
  index.upsert(pod('a'))
  index.remove('ns/a')
  t.equal(claim.valid, false)
  t.equal(index.claim('10.0.0.1').valid, true)
})
