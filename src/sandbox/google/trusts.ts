import type { Claims } from '../claims.ts'
import { httpsIssuer } from '../https-issuer.ts'
import { type AttributeExpression, compileAttributeExpression } from './attribute-expression.ts'
import { stsRefusal } from './refusal.ts'

/** One issuer whose tokens are exchanged, and what they become. */
export interface Trust {
  readonly issuer: string
  /** The assertion's `aud` must hold one of these. */
  readonly allowedAudiences: readonly string[]
  /**
   * Every spelling of the assertion's bearer in an IAM policy; the one that names it alone comes first.
   * @throws Refusal `invalid_grant`: the assertion gives no usable subject or attribute
   */
  members(claims: Claims): readonly string[]
}

/** Options of a workload identity pool provider. */
export interface ProviderOptions {
  readonly issuer: string
  /** Default: the provider's full resource name, with and without `https:`. */
  readonly allowedAudiences?: readonly string[]
  /** Expressions by target: `google.subject` (default `assertion.sub`) and `attribute.NAME`. */
  readonly attributeMapping?: Readonly<Record<string, string>>
}

const PROVIDER =
  /^(projects\/\d+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]{4,32})\/providers\/[a-z0-9-]{4,32}$/
const NAMESPACE = /^[a-z0-9.:-]+\.svc\.id\.goog$/
const KUBERNETES_SUBJECT = /^system:serviceaccount:([a-z0-9-]{1,63}):([a-z0-9.-]{1,253})$/

/** Google refuses a longer `google.subject`. */
const MAX_SUBJECT_BYTES = 127

/** Whom the token endpoint trusts, by the `audience` that a token exchange names. */
export class Trusts {
  readonly #byAudience = new Map<string, Trust>()

  /** @returns undefined if no provider has that name */
  find(audience: string): Trust | undefined {
    return this.#byAudience.get(audience)
  }

  /**
   * Adds, or replaces, a workload identity pool provider.
   *
   * @param name `projects/N/locations/global/workloadIdentityPools/POOL/providers/P`, ids of 4 to 32 characters
   * @throws TypeError a name, issuer or mapping that Google would not take
   */
  addProvider(name: string, options: ProviderOptions): void {
    const pool = PROVIDER.exec(name)?.[1]
    if (!pool) throw new TypeError(`not the name of a workload identity pool provider: ${name}`)
    const mapping = compileMapping(options.attributeMapping ?? {})
    const resource = `//iam.googleapis.com/${name}`
    this.#byAudience.set(resource, {
      issuer: httpsIssuer(options.issuer),
      allowedAudiences: options.allowedAudiences ?? [resource, `https:${resource}`],
      members: (claims) => poolMembers(`//iam.googleapis.com/${pool}`, mapping, claims),
    })
  }

  /**
   * Adds, or replaces, a provider of a GKE or fleet identity namespace, whose subjects are always Kubernetes ServiceAccounts.
   *
   * @param namespace `PROJECT.svc.id.goog`, also the audience of the assertions
   * @throws TypeError a namespace or issuer that Google would not take
   */
  addIdentityNamespace(namespace: string, providerUri: string, options: { readonly issuer: string }): void {
    if (!NAMESPACE.test(namespace)) throw new TypeError(`not an identity namespace: ${namespace}`)
    this.#byAudience.set(`identitynamespace:${namespace}:${providerUri}`, {
      issuer: httpsIssuer(options.issuer),
      allowedAudiences: [namespace],
      members: (claims) => {
        const subject = typeof claims.sub === 'string' ? KUBERNETES_SUBJECT.exec(claims.sub) : null
        if (!subject)
          throw stsRefusal('invalid_grant', 'The subject in ID Token is not a Kubernetes ServiceAccount.')
        return [`serviceAccount:${namespace}[${subject[1]}/${subject[2]}]`]
      },
    })
  }
}

function compileMapping(mapping: Readonly<Record<string, string>>): ReadonlyMap<string, AttributeExpression> {
  const compiled = new Map<string, AttributeExpression>()
  for (const [target, text] of Object.entries({ 'google.subject': 'assertion.sub', ...mapping })) {
    if (target !== 'google.subject' && !/^attribute\.[a-z0-9_]{1,100}$/.test(target)) {
      throw new TypeError(`not a mapped attribute: ${target}`)
    }
    compiled.set(target, compileAttributeExpression(text))
  }
  return compiled
}

function poolMembers(
  pool: string,
  mapping: ReadonlyMap<string, AttributeExpression>,
  claims: Claims,
): readonly string[] {
  const attributes = new Map<string, string>()
  for (const [target, expression] of mapping) {
    const value = expression(claims)
    if (!value)
      throw stsRefusal(
        'invalid_grant',
        `The mapped attribute ${target} has no value for the given credential.`,
      )
    attributes.set(target, value)
  }
  const subject = attributes.get('google.subject')!
  attributes.delete('google.subject')
  if (Buffer.byteLength(subject) > MAX_SUBJECT_BYTES) {
    throw stsRefusal(
      'invalid_grant',
      `The size of mapped attribute google.subject exceeds the ${MAX_SUBJECT_BYTES} bytes limit.`,
    )
  }
  return [
    `principal:${pool}/subject/${subject}`,
    `principalSet:${pool}/*`,
    ...[...attributes].map(([name, value]) => `principalSet:${pool}/${name}/${value}`),
  ]
}
