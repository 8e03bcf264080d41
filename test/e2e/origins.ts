/** Where clients ask for metadata: of every cloud over IPv4, of Google over IPv6. */
export const IPV4_ORIGIN = 'http://169.254.169.254'
export const IPV6_ORIGIN = 'http://[fd20:ce::254]'
/** Where EC2's is asked for over IPv6. */
export const EC2_IPV6_ORIGIN = 'http://[fd00:ec2::254]'
