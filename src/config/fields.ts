import * as v from 'valibot'
import type { ListenAddress } from './config.ts'
import { parseDuration } from './parse-duration.ts'
import { isWildcard, parseListenAddress } from './parse-listen-address.ts'

/** What every key is described by; both go into the JSON Schema and the documentation. */
export type About = {
  readonly description: string
  /** A value that would be right, in its text form; problems suggest it. */
  readonly examples: readonly [string]
}

const MAX_TEXT = 1_024
const MAX_LIST = 50

/** `must be EXPECTED, not WHAT WAS FOUND`. */
function not(expected: string) {
  return (issue: v.BaseIssue<unknown>) => `must be ${expected}, not ${shown(issue.input)}`
}

function shown(input: unknown): string {
  if (input === null) return 'empty'
  if (Array.isArray(input)) return 'a list'
  if (typeof input === 'object') return 'a section'
  if (typeof input === 'number' || typeof input === 'boolean') return `the ${typeof input} ${input}`
  const text = JSON.stringify(input) ?? typeof input
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

/** A text that is not empty, matches `pattern` and passes the check. */
export function text(expected: string, pattern: RegExp, meta: About, check = (_: string): boolean => true) {
  return v.pipe(
    v.string(not(expected)),
    v.maxLength(MAX_TEXT, `must not be longer than ${MAX_TEXT} characters`),
    v.regex(pattern, not(expected)),
    // One problem, not two, for what does not match either.
    v.check((input) => !pattern.test(input) || check(input), not(expected)),
    v.metadata(meta),
  )
}

/** A whole number. */
export function integer(min: number, max: number, meta: About) {
  const message = not(`a whole number from ${min} to ${max}`)
  return v.pipe(
    v.number(message),
    v.integer(message),
    v.minValue(min, message),
    v.maxValue(max, message),
    v.metadata(meta),
  )
}

/** true or false. */
export function toggle(meta: About) {
  return v.pipe(v.boolean(not('true or false')), v.metadata(meta))
}

/** One of a few words; `later` are words that the design has but this version does not do. */
export function choice<const T extends readonly string[]>(
  options: T,
  meta: About,
  later: readonly string[] = [],
) {
  const wrong = not(oneOf(options))
  const message = (issue: v.BaseIssue<unknown>) =>
    later.some((word) => word === issue.input)
      ? `\`${issue.input}\` is not in this version, only ${oneOf(options)}`
      : wrong(issue)
  return v.pipe(v.picklist(options, message), v.metadata(meta))
}

function oneOf(options: readonly string[]): string {
  return options.length === 1
    ? `\`${options[0]}\``
    : `one of ${options.map((option) => `\`${option}\``).join(', ')}`
}

/** A duration; comes out in milliseconds. */
export function duration(min: string, max: string, meta: About) {
  const minMs = parseDuration(min)!
  const maxMs = parseDuration(max)!
  const message = not(`a duration from ${min} to ${max} (30s, 5m, 1h, or a number of seconds)`)
  return v.pipe(
    v.union([v.number(), v.string()], message),
    v.metadata(meta),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const ms = parseDuration(dataset.value)
      if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms
      addIssue({ message })
      return NEVER
    }),
  )
}

/** A list of texts, each matching `pattern`. */
export function list(expected: string, pattern: RegExp, meta: About) {
  return v.pipe(
    v.array(
      v.pipe(
        v.string(not(expected)),
        v.maxLength(MAX_TEXT, `must not be longer than ${MAX_TEXT} characters`),
        v.regex(pattern, not(expected)),
      ),
      not('a list'),
    ),
    v.maxLength(MAX_LIST, `must not have more than ${MAX_LIST} entries`),
    v.metadata(meta),
  )
}

/** A list of texts, of each of which `refusal` says what is wrong with it. */
export function checkedList(refusal: (text: string) => string | undefined, meta: About) {
  const item = v.pipe(
    v.string(not('a text')),
    v.rawCheck(({ dataset, addIssue }) => {
      const message = dataset.typed ? refusal(dataset.value) : undefined
      if (message !== undefined) addIssue({ message })
    }),
  )
  return v.pipe(
    v.array(item, not('a list')),
    v.maxLength(MAX_LIST, `must not have more than ${MAX_LIST} entries`),
    v.metadata(meta),
  )
}

const addressMessage = not('an address and port such as 169.254.169.252:988 or [fd00::1]:988')

/** Comes out as a {@link ListenAddress}. */
export function listenAddress(meta: About) {
  return v.pipe(v.string(addressMessage), v.metadata(meta), v.rawTransform(toListenAddress))
}

/** Addresses that pods reach: none twice, no wildcard. */
export function listenAddresses(meta: About, least = 1) {
  const item = v.pipe(
    v.string(addressMessage),
    v.rawTransform(toListenAddress),
    v.check(
      ({ host }) => !isWildcard(host),
      'must not be every address of the node: callers are known by their address, so name only what pods reach',
    ),
  )
  return v.pipe(
    v.array(item, not('a list')),
    v.metadata(meta),
    v.minLength(least, 'must have at least one address'),
    v.maxLength(16, 'must not have more than 16 addresses'),
    v.check(
      (addresses) => new Set(addresses.map(({ host, port }) => `${host} ${port}`)).size === addresses.length,
      'must not have an address twice',
    ),
  )
}

function toListenAddress(context: v.RawTransformContext<string>): ListenAddress {
  const address = parseListenAddress(context.dataset.value)
  if (address !== undefined) return address
  context.addIssue({ message: addressMessage })
  return context.NEVER
}
