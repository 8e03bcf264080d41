import * as v from 'valibot'
import { text } from './fields.ts'

const BASE_URL = /^https:\/\/(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?(?:\/[A-Za-z0-9._~-]+)*$/
const METADATA_URL = /^http:\/\/(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/
const REAL_METADATA_SERVER = 'http://169.254.169.254'

/** Base URL of a cloud's service, where it is not the public one. */
export function serviceEndpoint(description: string, example: string) {
  const expected = 'an https URL without a trailing slash, query or credentials'
  return v.optional(text(expected, BASE_URL, { description, examples: [example] }, URL.canParse))
}

/** Base URL of the node's real metadata server. */
export function metadataEndpoint() {
  return v.optional(
    text(
      'an http URL without a path',
      METADATA_URL,
      {
        description:
          "The node's real metadata server, which is asked for nothing but what `passthrough` lists.",
        examples: [REAL_METADATA_SERVER],
      },
      URL.canParse,
    ),
    REAL_METADATA_SERVER,
  )
}
