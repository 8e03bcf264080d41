import { randomBytes } from 'node:crypto'
import type { SandboxKubernetes } from '../sandbox-types.ts'
import { isRecord } from './is-record.ts'
import { StatusError } from './status-error.ts'

const MAX_EVENTS = 10_000

/** A written Event, as tests read it. */
type LoggedEvent = SandboxKubernetes['events'][number]

/** The two APIs that write Events: which field names the object, and which the message. */
const APIS = {
  '': { regarding: 'involvedObject', message: 'message', apiVersion: 'v1' },
  'events.k8s.io': { regarding: 'regarding', message: 'note', apiVersion: 'events.k8s.io/v1' },
} as const

/** The Events written so far; the oldest are forgotten beyond a bound. */
export class EventLog {
  readonly #events = new Map<string, LoggedEvent>()

  get events(): readonly LoggedEvent[] {
    return [...this.#events.values()]
  }

  /**
   * Creates an Event (core/v1 or events.k8s.io/v1).
   *
   * @returns the object as stored
   * @throws StatusError 400 for another namespace in the body, 409 for a name that is taken, 422 for a missing field
   */
  create(group: keyof typeof APIS, namespace: string, body: Readonly<Record<string, unknown>>): unknown {
    const api = APIS[group]
    const kind = group === '' ? 'Event' : `Event.${group}`
    const metadata = isRecord(body.metadata) ? body.metadata : {}
    if ((metadata.namespace ?? namespace) !== namespace) {
      throw StatusError.badRequest(
        'the namespace of the provided object does not match the namespace sent on the request',
      )
    }
    const prefix = typeof metadata.generateName === 'string' ? metadata.generateName : ''
    const name = String(metadata.name ?? (prefix && prefix + randomBytes(3).toString('hex').slice(1)))
    if (name === '')
      throw StatusError.invalid(
        kind,
        name,
        'metadata.name',
        'Required value: name or generateName is required',
      )
    if (this.#events.has(`${namespace}/${name}`)) {
      throw new StatusError(409, 'AlreadyExists', `events "${name}" already exists`, { name, kind: 'events' })
    }
    const regarding = body[api.regarding]
    if (!isRecord(regarding)) throw StatusError.invalid(kind, name, api.regarding, 'Required value')
    if ((regarding.namespace ?? 'default') !== namespace) {
      throw StatusError.invalid(
        kind,
        name,
        `${api.regarding}.namespace`,
        'Invalid value: does not match event.namespace',
      )
    }
    if (group !== '') requireNewFields(kind, name, body)
    this.#events.set(`${namespace}/${name}`, {
      namespace,
      reason: String(body.reason ?? ''),
      message: String(body[api.message] ?? ''),
      regardingUid: String(regarding.uid ?? ''),
    })
    for (const oldest of this.#events.keys()) {
      if (this.#events.size <= MAX_EVENTS) break
      this.#events.delete(oldest)
    }
    return { ...body, kind: 'Event', apiVersion: api.apiVersion, metadata: { ...metadata, name, namespace } }
  }
}

/** What events.k8s.io/v1 asks for beyond core/v1. */
function requireNewFields(kind: string, name: string, body: Readonly<Record<string, unknown>>): void {
  for (const field of ['eventTime', 'reportingController', 'reportingInstance', 'action', 'reason']) {
    if (!body[field]) throw StatusError.invalid(kind, name, field, 'Required value')
  }
  if (String(body.note ?? '').length > 1024) {
    throw StatusError.invalid(kind, name, 'note', 'Invalid value: can have at most 1024 characters')
  }
}
