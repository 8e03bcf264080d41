import type { Pod } from '../../kubernetes/types.ts'
import type { Clock } from '../../lib/clock.ts'
import type { LiveReader } from '../live-reader.ts'
import type { PodIndex } from '../pod-index.ts'
import type { Identification } from '../strategy.ts'

/** How to make a {@link PodLookup}. */
export interface PodLookupOptions {
  readonly pods: PodIndex
  readonly reader: LiveReader
  readonly clock: Clock
}

/** By then the watch shows what a live read has found, or it is gone again and was never shown. */
const READ_LASTS_MS = 30_000

interface Found {
  readonly pod: Pod
  readonly at: number
}

/**
 * Pods by UID: those of the watch, and those that only a live read has shown so far. Pods of the host's network are nobody
 * here, whatever the kernel shows of them.
 */
export class PodLookup {
  readonly #options: PodLookupOptions
  readonly #found = new Map<string, Found>()
  /** How often a pod went, and the reader's mark when the last one did: what was read before may show it. */
  #departures = 0
  #departedAt = 0

  constructor(options: PodLookupOptions) {
    this.#options = options
    options.pods.listen({
      podSeen: (pod) => {
        this.#found.delete(pod.uid)
      },
      podGone: (pod) => {
        this.#found.delete(pod.uid)
        this.#departures++
        this.#departedAt = options.reader.mark()
      },
    })
  }

  /** The pod as it is known now. The identification is valid until the watch says anything new about the pod. */
  recall(uid: string): Identification | undefined {
    const { pods, clock } = this.#options
    const watched = pods.byUid(uid)
    if (watched?.hostNetwork) return undefined
    if (watched !== undefined) return identification(watched, () => pods.byUid(uid) === watched)
    const found = this.#found.get(uid)
    if (found === undefined) return undefined
    const isRecent = () => clock.now() - found.at < READ_LASTS_MS
    if (!isRecent()) {
      this.#found.delete(uid)
      return undefined
    }
    return identification(found.pod, () => this.#found.get(uid) === found && isRecent())
  }

  /**
   * The same, with one live read if the pod is not known.
   *
   * @param mark see `LiveReader.mark`: the read must be newer
   * @throws MetadatadError `CALLER_UNCONFIRMED`
   */
  async find(uid: string, mark: number): Promise<Identification | undefined> {
    const known = this.recall(uid)
    if (known !== undefined) return known
    const { pods, reader, clock } = this.#options
    const departures = this.#departures
    const read = await reader.readSince(Math.max(mark, this.#departedAt))
    const pod = read.pods.find((it) => it.uid === uid)
    // A pod that went while the read was under way may be the one it still shows.
    if (pod?.hostNetwork === false && pods.byUid(uid) === undefined && departures === this.#departures) {
      this.#prune()
      this.#found.set(uid, { pod, at: clock.now() })
    }
    return this.recall(uid)
  }

  #prune(): void {
    const now = this.#options.clock.now()
    for (const [uid, { at }] of this.#found) if (now - at >= READ_LASTS_MS) this.#found.delete(uid)
  }
}

function identification(pod: Pod, isValid: () => boolean): Identification {
  return {
    pod,
    get valid() {
      return isValid()
    },
  }
}
