import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'

/** Who a request comes from. */
export interface User {
  readonly name: string
  /** `verb resource`, or `*` for everything. */
  readonly rights: ReadonlySet<string>
}

/** What a request without credentials is to the API server. */
const ANONYMOUS: User = { name: 'system:anonymous', rights: new Set() }

/** What every authenticated user may do (the ClusterRole `system:basic-user`). */
const BASIC_RIGHT = 'create selfsubjectaccessreviews'

/** The users of the API server and their rights. */
export class Users {
  readonly #byToken = new Map<string, User>()
  readonly #byName = new Map<string, User>()
  readonly #serviceAccountName: (token: string) => Promise<string | undefined>

  /** @param serviceAccountName gives the user name of a valid service-account token for the API server itself */
  constructor(serviceAccountName: (token: string) => Promise<string | undefined>) {
    this.#serviceAccountName = serviceAccountName
  }

  /**
   * A new bearer token with exactly these rights. Client certificates and service-account tokens of the same user name
   * get the rights given last.
   */
  add(name: string, rights: readonly string[]): string {
    const user = { name, rights: new Set(rights) }
    const token = `sandbox-user-${randomBytes(24).toString('base64url')}`
    this.#byToken.set(token, user)
    this.#byName.set(name, user)
    return token
  }

  /** Who sent the request; undefined if its credentials are not valid. */
  async authenticate(request: IncomingMessage): Promise<User | undefined> {
    const { socket } = request
    if (socket instanceof TLSSocket && socket.authorized) {
      const name = socket.getPeerCertificate().subject?.CN
      if (typeof name === 'string') return this.#named(name)
    }
    const header = request.headers.authorization
    if (header === undefined) return ANONYMOUS
    const [scheme, token = ''] = header.split(' ')
    if (scheme?.toLowerCase() !== 'bearer' || token === '') return ANONYMOUS
    const known = this.#byToken.get(token)
    if (known) return known
    const name = await this.#serviceAccountName(token)
    return name === undefined ? undefined : this.#named(name)
  }

  /** May the user do this? `right` is `verb resource`. */
  allows(user: User, right: string): boolean {
    if (user.rights.has('*') || user.rights.has(right)) return true
    return user !== ANONYMOUS && right === BASIC_RIGHT
  }

  #named(name: string): User {
    return this.#byName.get(name) ?? { name, rights: new Set() }
  }
}
