import { Pool } from 'undici'
import { ApiError } from './api-error.ts'
import { objectPath } from './object-path.ts'

// biome-ignore lint/suspicious/noExplicitAny: an object as the API server has it; a wrong field fails the test
export type KubeObject = any

/** Who asks, and whom. */
export interface ApiOptions {
  /** `https://HOST:PORT` */
  readonly url: string
  readonly caPem: string
  /** A client certificate … */
  readonly certificate?: { readonly cert: string; readonly key: string } | undefined
  /** … or a bearer token. With neither it is nobody who asks. */
  readonly token?: string | undefined
  readonly connections?: number
}

/** A connection is made in milliseconds, but by a machine that stands still for seconds. */
const CONNECT_MS = 60_000

/** An answer, whatever its status. */
export interface ApiAnswer {
  readonly status: number
  /** Parsed where it is JSON, else the text. */
  readonly body: KubeObject
}

/** The API server as one user sees it. Every method but `ask` throws {@link ApiError} on an answer that is no success. */
export class Api implements AsyncDisposable {
  readonly #pool: Pool
  readonly #authorization: Record<string, string>

  constructor({ url, caPem, certificate, token, connections = 16 }: ApiOptions) {
    this.#pool = new Pool(url, { connections, connect: { ca: caPem, timeout: CONNECT_MS, ...certificate } })
    this.#authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  }

  /** One request; a body that is no text is sent as JSON. @param accept what the answer is to be, of what the API offers as JSON */
  async ask(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    contentType = 'application/json',
    accept = 'application/json',
  ): Promise<ApiAnswer> {
    const response = await this.#pool.request({
      method,
      path,
      headers: { ...this.#authorization, accept, 'content-type': contentType },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.body.text()
    const isJson = String(response.headers['content-type'] ?? '').startsWith('application/json')
    return { status: response.statusCode, body: isJson ? JSON.parse(text) : text }
  }

  get(path: string): Promise<KubeObject> {
    return this.#must('GET', path)
  }

  /** @param path of the collection, or of a subresource: `/api/v1/namespaces/x/serviceaccounts/y/token` */
  create(path: string, object: unknown): Promise<KubeObject> {
    return this.#must('POST', path, object)
  }

  /** Server-side apply of a whole object, as `kubectl apply --server-side --force-conflicts`. */
  apply(object: KubeObject): Promise<KubeObject> {
    const path = `${objectPath(object)}?fieldManager=test&force=true`
    return this.#must('PATCH', path, object, 'application/apply-patch+yaml')
  }

  /** A merge patch (RFC 7386). */
  merge(path: string, patch: unknown): Promise<KubeObject> {
    return this.#must('PATCH', path, patch, 'application/merge-patch+json')
  }

  replace(path: string, object: unknown): Promise<KubeObject> {
    return this.#must('PUT', path, object)
  }

  /** @param graceSeconds 0 is a forced deletion; the object's own if absent */
  delete(path: string, graceSeconds?: number): Promise<KubeObject> {
    const options = graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }
    return this.#must('DELETE', path, { kind: 'DeleteOptions', apiVersion: 'v1', ...options })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy()
  }

  async #must(method: Parameters<Api['ask']>[0], path: string, body?: unknown, type?: string) {
    const answer = await this.ask(method, path, body, type)
    if (answer.status >= 300) throw new ApiError(`${method} ${path}`, answer.status, answer.body)
    return answer.body
  }
}
