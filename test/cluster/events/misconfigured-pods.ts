import { SANDBOX_ACCOUNT } from '../../../src/sandbox/names.ts'
import { gsa, TOKEN } from '../../support/pod-questions.ts'

/** Where pods are that docs/events.md shows. */
export const SHOP = 'shop'

/** A pod that gets no credentials until somebody mends what `docs/events.md` says of it. */
export interface MisconfiguredPod {
  /** Also the name of its ServiceAccount. */
  readonly name: string
  readonly namespace: string
  readonly ip: string
  readonly annotations: Readonly<Record<string, string>>
  /** What its program asks. */
  readonly asks: readonly string[]
  /** The reasons of its Events. */
  readonly reasons: readonly string[]
}

const ROLES = '/latest/meta-data/iam/security-credentials/'
const VAULT = '/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net'
const GOOGLE = 'iam.gke.io/gcp-service-account'
const ROLE = 'eks.amazonaws.com/role-arn'
const CLIENT = 'azure.workload.identity/client-id'
const TENANT = 'azure.workload.identity/tenant-id'
const GUID = '1a9707a0-1111-4c11-8000-00000000'

/** One of each kind. The configuration must not let `thief` use any identity. */
export const MISCONFIGURED_PODS: readonly MisconfiguredPod[] = (
  [
    ['cart', { [GOOGLE]: gsa('warehouse') }, [TOKEN], ['ExchangeRefused']],
    ['typo', { [GOOGLE]: 'My Account' }, [TOKEN], ['IdentityInvalid']],
    ['thief', { [GOOGLE]: gsa('payments') }, [TOKEN], ['IdentityRefused']],
    [
      'orders',
      { [ROLE]: `arn:aws:iam::${SANDBOX_ACCOUNT}:role/none` },
      [`${ROLES}none`],
      ['ExchangeRefused'],
    ],
    ['vault', { [CLIENT]: `${GUID}0001`, [TENANT]: `${GUID}0002` }, [VAULT], ['ExchangeMisconfigured']],
    [
      'both',
      { [ROLE]: 'arn:aws:iam::1:role/stock', [CLIENT]: 'stock' },
      [ROLES, VAULT],
      ['IdentityInvalid', 'IdentityInvalid'],
    ],
  ] as const
).map(([name, annotations, asks, reasons], i) => ({
  name,
  namespace: SHOP,
  ip: `127.0.70.${i + 1}`,
  annotations,
  asks,
  reasons,
}))
