import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** TLS peers judge validity by the machine's time whatever clock the sandbox runs on, so it is wide and fixed. */
const VALIDITY = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2120-01-01T00:00:00Z') }

/** A certificate and its private key (PKCS #8), both PEM. */
export interface IssuedCertificate {
  readonly cert: string
  readonly key: string
}

/** The sandbox's own certificate authority. Its key lives and dies with the process. */
export interface CertificateAuthority {
  /** The authority's certificate, PEM. */
  readonly pem: string
  /**
   * A server certificate for localhost, 127.0.0.1 and ::1.
   * @param names further ones: host names and addresses
   */
  issueServer(names?: readonly string[]): Promise<IssuedCertificate>
  /** A client certificate; the API server takes the common name for the user's name, and organizations for its groups. */
  issueClient(commonName: string, organizations?: readonly string[]): Promise<IssuedCertificate>
}

/**
 * Makes a certificate authority with the extensions that strict verifiers ask for (RFC 5280, section 4.2.1: key usage
 * and both key identifiers).
 */
export async function createCertificateAuthority(): Promise<CertificateAuthority> {
  const keys = await generateKeys()
  const authority = await X509CertificateGenerator.createSelfSigned({
    ...VALIDITY,
    name: [{ CN: ['metadatad sandbox CA'] }],
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })

  async function issue(
    subject: { readonly CN: string[] } | { readonly CN: string[]; readonly O: string[] },
    usage: 'serverAuth' | 'clientAuth',
    names: readonly string[] = [],
  ): Promise<IssuedCertificate> {
    const own = await generateKeys()
    const alternatives = ['localhost', '127.0.0.1', '::1', ...names].map((value) => ({
      type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const),
      value,
    }))
    const certificate = await X509CertificateGenerator.create({
      ...VALIDITY,
      subject: [subject],
      issuer: authority.subjectName,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage[usage]]),
        await SubjectKeyIdentifierExtension.create(own.publicKey),
        await AuthorityKeyIdentifierExtension.create(keys.publicKey),
        ...(usage === 'serverAuth' ? [new SubjectAlternativeNameExtension(alternatives)] : []),
      ],
    })
    const key = await webcrypto.subtle.exportKey('pkcs8', own.privateKey)
    return { cert: certificate.toString('pem'), key: PemConverter.encode(key, 'PRIVATE KEY') }
  }

  return {
    pem: authority.toString('pem'),
    issueServer: (names) => issue({ CN: ['metadatad sandbox'] }, 'serverAuth', names),
    issueClient: (commonName, organizations = []) =>
      issue(
        { CN: [commonName], ...(organizations.length > 0 ? { O: [...organizations] } : {}) },
        'clientAuth',
      ),
  }
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}
