import type { Caller } from '../../caller/caller.ts'
import type { Clock } from '../../lib/clock.ts'
import { MetadatadError } from '../../lib/errors.ts'
import type { Metrics } from '../../lib/metrics.ts'
import type { CallerMemo } from '../caller-memo.ts'
import type { PodRequest } from '../pod-request.ts'
import { findNode } from './find-node.ts'
import {
  type GoogleAnswer,
  type GoogleRoute,
  googleAnswer,
  googleError,
  HTML,
  JSON_TYPE,
  TEXT,
} from './google-answer.ts'
import type { GoogleCaller } from './google-callers.ts'
import type { GoogleFacts } from './google-pipeline.ts'
import type { LongPolls } from './long-polls.ts'
import { type Account, metadataTree, type TreeNode } from './metadata-tree.ts'
import { renderFlat, renderJson, renderListing, renderText } from './render-node.ts'
import { parseTreeQuery, type TreeQuery } from './tree-query.ts'

/** What the answers are made from. */
export interface TreeAnswersOptions {
  readonly callers: CallerMemo<GoogleCaller>
  readonly facts: GoogleFacts
  readonly defaultScopes: readonly string[]
  readonly polls: LongPolls
  readonly clock: Clock
  readonly metrics: Metrics
  /** Longest a request is held for its caller, in milliseconds. */
  readonly holdMs: number
  /** Turns whatever was thrown into an answer. */
  readonly failure: (route: GoogleRoute, thrown: unknown) => GoogleAnswer
}

const INSTANCE = '/computeMetadata/v1/instance'
const ACCOUNTS = `${INSTANCE}/service-accounts/`

/** Every value and directory that is no credential. */
export class TreeAnswers {
  readonly #options: TreeAnswersOptions
  readonly #blocked: { inc(): void }
  readonly #notFound = googleError('none', 404, 'Not Found')
  readonly #noWait = googleError('directory', 400, 'Invalid Request')
  readonly #tooManyPolls = googleError('none', 503, 'Too many requests of this pod wait for a change.', [
    'Retry-After',
    '5',
  ])

  constructor(options: TreeAnswersOptions) {
    this.#options = options
    this.#blocked = options.metrics.blocked.labels('google')
  }

  /** Held only where the answer depends on who asks. */
  answer(request: PodRequest): GoogleAnswer | Promise<GoogleAnswer> {
    let query: TreeQuery
    try {
      query = parseTreeQuery(request.query)
    } catch (thrown) {
      return this.#options.failure('value', thrown)
    }
    return query.wait === undefined
      ? this.#now(request, query)
      : this.#afterChange(request, query, query.wait)
  }

  async #afterChange(
    request: PodRequest,
    query: TreeQuery,
    wait: NonNullable<TreeQuery['wait']>,
  ): Promise<GoogleAnswer> {
    const { polls, clock } = this.#options
    // Only what is read as one value can change as one: a listing can't, as Google documents.
    if (!query.recursive && (request.path.endsWith('/') || request.path === INSTANCE)) return this.#noWait
    const leave = polls.enter(request.connection.remoteAddress)
    if (leave === undefined) return this.#tooManyPolls
    request.longPoll = true
    const until = clock.now() + wait.timeoutMs
    let { lastEtag } = wait
    try {
      for (;;) {
        const { generation } = polls
        request.restartHold()
        const answer = await this.#now(request, query)
        lastEtag ??= answer.etag
        const left = until - clock.now()
        const ended = left <= 0 || polls.closed || request.gone
        if (answer.status !== 200 || answer.etag !== lastEtag || ended) return answer
        const { caller } = request
        // The server asks again, a bounded number of times; this loop would spin.
        if (caller?.valid === false) return answer
        await polls.wait(generation, left, request.signal, caller && (() => !caller.valid))
      }
    } finally {
      leave()
    }
  }

  #now(request: PodRequest, query: TreeQuery): GoogleAnswer | Promise<GoogleAnswer> {
    request.caller = undefined
    if (!dependsOnCaller(request.path, query.recursive)) return this.#render(request, query, undefined)
    const caller = request.session.current()
    if (caller === undefined) return this.#identified(request, query)
    return this.#forCaller(request, query, caller)
  }

  async #identified(request: PodRequest, query: TreeQuery): Promise<GoogleAnswer> {
    using deadline = request.hold(this.#options.clock, this.#options.holdMs)
    let caller: Caller
    try {
      caller = await request.session.identify(deadline)
    } catch (thrown) {
      return this.#options.failure('service-accounts', thrown)
    }
    return this.#forCaller(request, query, caller)
  }

  #forCaller(request: PodRequest, query: TreeQuery, caller: Caller): GoogleAnswer {
    request.caller = caller
    let account: Account | undefined
    try {
      const { identity } = this.#options.callers.of(caller)
      account = { email: identity.email, scopes: this.#options.defaultScopes }
    } catch (thrown) {
      // Directories above the accounts just show none, as on a VM without a service account.
      if (!(thrown instanceof MetadatadError) || request.path.length > ACCOUNTS.length) {
        return this.#options.failure('service-accounts', thrown)
      }
    }
    return this.#render(request, query, account)
  }

  #render(
    { path, query: rawQuery }: PodRequest,
    query: TreeQuery,
    account: Account | undefined,
  ): GoogleAnswer {
    const node = findNode(metadataTree(this.#options.facts.current(), account), path)
    if (node === undefined || node.kind === 'hidden') {
      this.#blocked.inc()
      return this.#notFound
    }
    // Node's library probes this one without the slash, for at most 3 s: a redirect would cost it half of them.
    if (node.kind === 'directory' && !path.endsWith('/') && path !== INSTANCE) {
      const location = rawQuery === '' ? `${path}/` : `${path}/?${rawQuery}`
      return googleAnswer('directory', 301, HTML, `${path}/\n`, ['Location', location])
    }
    const route = path.startsWith(ACCOUNTS)
      ? 'service-accounts'
      : node.kind === 'leaf'
        ? 'value'
        : 'directory'
    const { type, body } = renderNode(node, query)
    return googleAnswer(route, 200, type, body)
  }
}

function renderNode(
  node: Exclude<TreeNode, { kind: 'hidden' }>,
  query: TreeQuery,
): { type: string; body: string } {
  if (node.kind === 'directory' && !query.recursive) return { type: TEXT, body: renderListing(node) }
  const alt = query.alt ?? (node.kind === 'directory' || node.json ? 'json' : 'text')
  if (alt === 'json') return { type: JSON_TYPE, body: renderJson(node) }
  return { type: TEXT, body: node.kind === 'directory' ? renderFlat(node) : renderText(node) }
}

/** True at and below the accounts, and for recursive answers of what is above them. */
function dependsOnCaller(path: string, recursive: boolean): boolean {
  return path.startsWith(ACCOUNTS) || (recursive && ACCOUNTS.startsWith(path))
}
