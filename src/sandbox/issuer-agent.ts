import { Agent } from 'undici'
import type { CertificateAuthority } from './certificate-authority.ts'

const MAX_ANSWER_BYTES = 1 << 18

/** The client that a cloud asks token issuers with: trusts the sandbox's authority only, and reads no endless answer. */
export function issuerAgent(ca: CertificateAuthority): Agent {
  return new Agent({ connect: { ca: ca.pem }, maxResponseSize: MAX_ANSWER_BYTES })
}
