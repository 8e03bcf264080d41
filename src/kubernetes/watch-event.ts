import { fields, text } from './json-fields.ts'

/** One line of a watch (meta/v1 WatchEvent), as far as a reflector needs to know it. */
export type WatchEvent =
  | {
      readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
      readonly object: unknown
      readonly resourceVersion: string | undefined
    }
  | {
      readonly type: 'BOOKMARK'
      readonly resourceVersion: string | undefined
      readonly initialEventsEnd: boolean
    }
  | { readonly type: 'ERROR'; readonly code: number; readonly status: unknown }

/**
 * Reads a line of a watch. Total.
 *
 * @returns undefined for anything that is no WatchEvent of a known type
 */
export function parseWatchEvent(line: unknown): WatchEvent | undefined {
  const { type, object } = fields(line)
  const metadata = fields(fields(object).metadata)
  const resourceVersion = text(metadata.resourceVersion)
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object, resourceVersion }
    case 'BOOKMARK': {
      // Ends the synthetic events of a streaming list (Kubernetes API concepts, "Streaming lists").
      const initialEventsEnd = fields(metadata.annotations)['k8s.io/initial-events-end'] === 'true'
      return { type, resourceVersion, initialEventsEnd }
    }
    case 'ERROR': {
      const { code } = fields(object)
      return { type, code: typeof code === 'number' ? code : 500, status: object }
    }
    default:
      return undefined
  }
}
