import { identityError } from './identity-error.ts'

/**
 * The refusal of the operator's rules.
 *
 * @param serviceAccount `NAMESPACE/NAME`
 * @param identity what was refused, for the pod (`Google identity …`)
 */
export function refusedByRule(cloud: 'google' | 'aws' | 'azure', serviceAccount: string, identity: string) {
  return identityError(
    'IDENTITY_REFUSED',
    `${cloud} identity refused by a rule`,
    `The rules of this cluster's metadata daemon do not let ServiceAccount ${serviceAccount} use the ${identity}. Ask the cluster's administrator to allow it in "rules".`,
  )
}
