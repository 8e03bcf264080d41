import type { Claims } from '../claims.ts'
import { httpsIssuer } from '../https-issuer.ts'
import { parseRoleArn } from './parse-role-arn.ts'
import type { OidcProvider, RoleTrust } from './sandbox-aws.ts'

/** A role, as far as assuming it goes. */
export interface Role {
  readonly trust: readonly RoleTrust[]
  readonly maxSessionSeconds: number
}

const MIN_MAX_SESSION_SECONDS = 3600
const MAX_MAX_SESSION_SECONDS = 43_200

/** The OIDC providers and roles of all accounts. */
export class Iam {
  readonly #providers = new Map<string, OidcProvider>()
  readonly #roles = new Map<string, Role>()

  /** @throws TypeError an account or issuer that IAM would not take */
  addOidcProvider(provider: OidcProvider): void {
    const { accountId, issuer } = provider
    if (!/^\d{12}$/.test(accountId)) throw new TypeError(`not an account ID: ${accountId}`)
    this.#providers.set(`${accountId} ${httpsIssuer(issuer)}`, {
      ...provider,
      clientIds: [...provider.clientIds],
    })
  }

  /** @throws TypeError an ARN that is no role's, or a maximum session life outside one hour to twelve */
  addRole(
    arn: string,
    role: { readonly trust: readonly RoleTrust[]; readonly maxSessionSeconds?: number },
  ): void {
    if (!parseRoleArn(arn)) throw new TypeError(`not the ARN of a role: ${arn}`)
    const { maxSessionSeconds = MIN_MAX_SESSION_SECONDS } = role
    if (!(maxSessionSeconds >= MIN_MAX_SESSION_SECONDS && maxSessionSeconds <= MAX_MAX_SESSION_SECONDS))
      throw new TypeError(`not a maximum session duration: ${maxSessionSeconds}`)
    this.#roles.set(arn, { trust: [...role.trust], maxSessionSeconds })
  }

  removeRole(arn: string): void {
    this.#roles.delete(arn)
  }

  /** The account's provider for exactly that issuer. */
  provider(accountId: string, issuer: unknown): OidcProvider | undefined {
    // A claim may be an object that can't even be made a text.
    return typeof issuer === 'string' ? this.#providers.get(`${accountId} ${issuer}`) : undefined
  }

  /** The role, if its trust policy lets the bearer of these verified claims of the provider in. */
  assumable(arn: string, provider: OidcProvider, claims: Claims): Role | undefined {
    const role = this.#roles.get(arn)
    const audiences = [claims.aud].flat()
    return role?.trust.some(
      ({ issuer, subject, audience }) =>
        issuer === provider.issuer &&
        typeof claims.sub === 'string' &&
        matches(claims.sub, subject) &&
        (audience === undefined || audiences.includes(audience)),
    )
      ? role
      : undefined
  }
}

function matches(value: string, wanted: RoleTrust['subject']): boolean {
  if (typeof wanted === 'string') return value === wanted
  const pattern = wanted.like
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${pattern}$`, 's').test(value)
}
