/** The claims of a JSON Web Token (RFC 7519), each of any shape. */
export type Claims = Readonly<Record<string, unknown>>
