import { MetadatadError } from '../lib/errors.ts'
import type { KubernetesClient } from './client.ts'
import { createEvent } from './create-event.ts'
import { patchEvent } from './patch-event.ts'
import type { PodEvent } from './pod-event.ts'

/** How to write an Event. */
export interface WriteEventOptions {
  readonly client: KubernetesClient
  /** The daemon's node. */
  readonly nodeName: string
  /** This daemon has written it before, with a lower count. */
  readonly known: boolean
  readonly signal: AbortSignal
}

/**
 * Writes an Event about a pod, or its new count.
 *
 * @returns how often another daemon had told it, the one before this, so that the count can go on from there; 0 if none had
 * @throws MetadatadError `KUBERNETES_*`
 */
export async function writeEvent(event: PodEvent, options: WriteEventOptions): Promise<number> {
  const { client, nodeName, known, signal } = options
  if (known) {
    const patched = await unless('KUBERNETES_NOT_FOUND', () => patchEvent(client, event, event.count, signal))
    if (patched !== undefined) return 0
  }
  const created = await unless('KUBERNETES_CONFLICT', async () => {
    await createEvent(client, event, nodeName, signal)
    return true
  })
  return created ? 0 : await patchEvent(client, event, undefined, signal)
}

/** What `work` gives; undefined if it failed with `code`. */
async function unless<T>(code: MetadatadError['code'], work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof MetadatadError && error.code === code) return undefined
    throw error
  }
}
