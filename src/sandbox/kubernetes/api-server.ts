import type { ServerResponse } from 'node:http'
import type { Clock } from '../../lib/clock.ts'
import { sendJson } from '../send-json.ts'
import type { ServiceCall } from '../service.ts'
import type { SigningKeys } from '../signing-keys.ts'
import type { Collection } from './collection.ts'
import { createToken } from './create-token.ts'
import type { EventLog, EventsGroup } from './event-log.ts'
import { parseFieldSelector } from './field-selector.ts'
import { forbidden } from './forbidden.ts'
import { isRecord } from './is-record.ts'
import { listObjects, requireReached } from './list-objects.ts'
import { parseListOptions } from './list-options.ts'
import type { ObjectStore } from './object-store.ts'
import { patchNode } from './patch-node.ts'
import { answerPublicPath } from './public-paths.ts'
import { chooseRepresentation } from './representation.ts'
import { reviewAccess } from './review-access.ts'
import { reviewToken } from './review-token.ts'
import { parseRoute, type Route } from './route.ts'
import type { ServiceAccountTokens } from './service-account-tokens.ts'
import { StatusError } from './status-error.ts'
import type { User, Users } from './users.ts'
import type { Watches } from './watches.ts'

/** What the API server is made of. */
export interface ApiServerParts {
  readonly store: ObjectStore
  readonly events: EventLog
  readonly keys: SigningKeys
  readonly tokens: ServiceAccountTokens
  readonly users: Users
  readonly watches: Watches
  readonly clock: Clock
  readonly issuer: () => string
  /** The scenario controls that reads obey. */
  readonly controls: {
    readonly streamingLists: boolean
    readonly maxPageSize: number
    readonly readLagMs: number
  }
}

/** Answers one request: authentication, authorization, then the resource's own work. Refusals are Status objects. */
export async function answerApiCall(parts: ApiServerParts, call: ServiceCall): Promise<void> {
  try {
    await answer(parts, call)
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    const seconds = error.details?.retryAfterSeconds
    const headers = seconds === undefined ? {} : { 'retry-after': String(seconds) }
    sendJson(call.response, error.code, error.status, headers)
  }
}

async function answer(parts: ApiServerParts, call: ServiceCall): Promise<void> {
  const { request, response, url } = call
  if (request.method === 'GET') {
    const { accept } = request.headers
    if (answerPublicPath(response, url.pathname, accept, parts.issuer(), parts.keys)) return
  }
  const user = await parts.users.authenticate(request)
  if (!user) throw new StatusError(401, 'Unauthorized', 'Unauthorized')
  const route = parseRoute(request.method ?? '', url)
  if (!route) {
    if (user.rights.has('*'))
      return sendJson(response, 404, '404 page not found\n', { 'content-type': 'text/plain' })
    const message = `forbidden: User "${user.name}" cannot ${request.method?.toLowerCase()} path "${url.pathname}"`
    throw new StatusError(403, 'Forbidden', message, {})
  }
  if (!parts.users.allows(user, `${route.verb} ${route.resource}`)) throw forbidden(user.name, route)
  if (route.verb === 'create') return sendJson(response, 201, await create(parts, call, route, user))
  const collection = Object.hasOwn(parts.store, route.resource)
    ? (parts.store[route.resource as keyof ObjectStore] as Collection)
    : undefined
  if (route.verb === 'patch' && isOfEvents(route) && route.name !== undefined)
    return sendJson(response, 200, parts.events.patch(route.group, route.namespace, route.name, call))
  if (!collection) throw methodNotAllowed()
  if (route.verb === 'get') return get(parts, response, collection, route, request.headers.accept)
  if (route.verb === 'patch' && route.resource === 'nodes')
    return sendJson(response, 200, patchNode(parts.store.nodes, route.name ?? '', call))
  if (route.verb === 'list' || route.verb === 'watch') return listOrWatch(parts, call, collection, route)
  throw methodNotAllowed()
}

function get(
  parts: ApiServerParts,
  response: ServerResponse,
  collection: Collection,
  { resource, namespace, name = '' }: Route,
  accept: string | undefined,
): void {
  const key = namespace === undefined ? name : `${namespace}/${name}`
  const object = collection.viewBefore(parts.controls.readLagMs).get(key)
  if (!object) throw StatusError.notFound(resource, name)
  sendJson(response, 200, chooseRepresentation(accept, false).single(object))
}

function listOrWatch(
  { controls, watches }: ApiServerParts,
  { request, response, url }: ServiceCall,
  collection: Collection,
  { verb, namespace }: Route,
): void {
  const watch = verb === 'watch'
  const options = parseListOptions(url.searchParams, watch, controls.streamingLists)
  const representation = chooseRepresentation(request.headers.accept, !watch)
  const lagMs = controls.readLagMs
  if (!watch) {
    const { maxPageSize } = controls
    const page = listObjects({ collection, namespace, options, representation, maxPageSize, lagMs })
    sendJson(response, 200, page)
    return
  }
  const selector = parseFieldSelector(collection.resource, options.fieldSelector)
  if (options.sendInitialEvents) {
    requireReached(options.resourceVersion ?? 0, collection.viewBefore(lagMs).resourceVersion)
  }
  watches.open(request, { collection, namespace, selector, options, representation, lagMs, response })
}

async function create(parts: ApiServerParts, call: ServiceCall, route: Route, user: User): Promise<unknown> {
  const { store, tokens, events, clock } = parts
  const { body } = call
  if (!isRecord(body)) throw StatusError.badRequest('the body of the request is no JSON object')
  const { resource, namespace, name } = route
  if (resource === 'tokenreviews') return reviewToken(tokens, body)
  if (resource === 'selfsubjectaccessreviews')
    return reviewAccess((right) => parts.users.allows(user, right), body)
  if (resource === 'serviceaccounts/token' && namespace !== undefined && name !== undefined) {
    return createToken({ store, tokens, namespace, name, body, now: clock.now() })
  }
  if (isOfEvents(route)) {
    if (!store.namespaces.get(route.namespace)) throw StatusError.notFound('namespaces', route.namespace)
    return events.create(route.group, route.namespace, body)
  }
  throw methodNotAllowed()
}

function isOfEvents(route: Route): route is Route & { group: EventsGroup; namespace: string } {
  return route.resource === 'events' && route.namespace !== undefined
}

function methodNotAllowed(): StatusError {
  return new StatusError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
  )
}
