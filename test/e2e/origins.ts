/** Where clients ask for Google's metadata. */
export const IPV4_ORIGIN = 'http://169.254.169.254'
export const IPV6_ORIGIN = 'http://[fd20:ce::254]'
