const MAX_LENGTH = 254
const EMAIL = /^[a-z0-9](?:[a-z0-9_-]|\.(?=[a-z0-9]))*@[a-z0-9-]+(?:\.[a-z0-9-]+)+$/

/**
 * Is this the e-mail of a Google service account, as far as its spelling can tell? Any domain will do: domain-scoped projects
 * (`sa@proj.example.com.iam.gserviceaccount.com`), default accounts (`N-compute@developer.gserviceaccount.com`) and other
 * universes each have their own, and IAM knows which exist. The characters are few because the e-mail becomes a segment
 * of a URL path and part of plain-text answers; lower case only, so that the operator's rules can't be evaded by spelling.
 */
export function isServiceAccountEmail(text: string): boolean {
  return text.length <= MAX_LENGTH && EMAIL.test(text)
}
