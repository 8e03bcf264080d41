import { randomBytes } from 'node:crypto'
import type { SandboxKubernetes } from '../sandbox-types.ts'
import type { ServiceCall } from '../service.ts'
import { isRecord } from './is-record.ts'
import { patchedBy } from './patched-by.ts'
import { StatusError } from './status-error.ts'

const MAX_EVENTS = 10_000

/** A written Event, as tests read it. */
type LoggedEvent = SandboxKubernetes['events'][number]

/** The two APIs that write Events: which field names the object, and which the message. */
const APIS = {
  '': { regarding: 'involvedObject', message: 'message', apiVersion: 'v1' },
  'events.k8s.io': { regarding: 'regarding', message: 'note', apiVersion: 'events.k8s.io/v1' },
} as const

/** The API group that an Event is written in. */
export type EventsGroup = keyof typeof APIS

interface StoredEvent {
  readonly group: EventsGroup
  readonly object: Readonly<Record<string, unknown>>
}

/** The Events written so far; the oldest are forgotten beyond a bound. */
export class EventLog {
  readonly #events = new Map<string, StoredEvent>()

  get events(): readonly LoggedEvent[] {
    return [...this.#events.values()].map(logged)
  }

  /**
   * Creates an Event (core/v1 or events.k8s.io/v1).
   *
   * @returns the object as stored
   * @throws StatusError 400 for another namespace in the body, 409 for a name that is taken, 422 for a missing field
   */
  create(group: EventsGroup, namespace: string, body: Readonly<Record<string, unknown>>): unknown {
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
    const object = {
      ...body,
      kind: 'Event',
      apiVersion: api.apiVersion,
      metadata: { ...metadata, name, namespace },
    }
    this.#events.set(`${namespace}/${name}`, { group, object })
    for (const oldest of this.#events.keys()) {
      if (this.#events.size <= MAX_EVENTS) break
      this.#events.delete(oldest)
    }
    return object
  }

  /**
   * Applies a JSON patch to an Event, in the API that it was written in.
   *
   * @returns the object as stored
   * @throws StatusError 404 if there is no such Event; 400, 415 and 422 as for any patch
   */
  patch(
    group: EventsGroup,
    namespace: string,
    name: string,
    call: Pick<ServiceCall, 'request' | 'body'>,
  ): unknown {
    const stored = this.#events.get(`${namespace}/${name}`)
    if (stored?.group !== group) throw StatusError.notFound('events', name)
    const object = patchedBy(call, stored.object)
    const metadata = isRecord(object) && isRecord(object.metadata) ? object.metadata : {}
    if (!isRecord(object) || metadata.name !== name || metadata.namespace !== namespace) {
      throw StatusError.invalid('Event', name, 'metadata', 'Invalid value: field is immutable')
    }
    this.#events.set(`${namespace}/${name}`, { group, object })
    return object
  }
}

function logged({ group, object }: StoredEvent): LoggedEvent {
  const { regarding, message } = APIS[group]
  const { uid } = object[regarding] as Record<string, unknown>
  const { namespace } = object.metadata as { namespace: string }
  return {
    namespace,
    reason: String(object.reason ?? ''),
    message: String(object[message] ?? ''),
    regardingUid: String(uid ?? ''),
    count: Number(object.count ?? 1),
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
