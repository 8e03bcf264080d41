/**
 * What a failure to reach an address means, where the pod has a route to it.
 *
 * @param code of a socket's error
 * @returns the code, if something came back: a reset, or an ICMP error (`icmp(7)`); undefined for silence
 */
export function refusalCode(code: string | undefined): string | undefined {
  return code === undefined || code === 'ETIMEDOUT' ? undefined : code
}
