import type { GoogleFactValues } from './google-pipeline.ts'

/** A value: its text, or its lines. */
export interface Leaf {
  readonly kind: 'leaf'
  readonly value: string | readonly string[]
  /** JSON unless asked for as text. */
  readonly json: boolean
  /** Decimal digits that are a number in JSON. */
  readonly number: boolean
}

/** Something that is listed but is answered elsewhere and never part of a recursive answer: a credential. */
export interface Hidden {
  readonly kind: 'hidden'
}

/** Entries in the order in which they are listed. */
export interface Directory {
  readonly kind: 'directory'
  readonly entries: ReadonlyMap<string, TreeNode>
  /** The names are data (attributes, e-mails) and stay as they are in JSON; others become camelCase. */
  readonly verbatim: boolean
}

export type TreeNode = Leaf | Hidden | Directory

/** What the `service-accounts/` directory shows of one pod's identity. */
export interface Account {
  readonly email: string
  readonly scopes: readonly string[]
}

/**
 * All there is below `/`: what GKE's metadata server gives to pods (cloud.google.com, "About the GKE metadata server"),
 * and of a VM's values `name` and `tags`, which libraries read. Facts that are absent are not in it.
 *
 * @param account undefined where the pod has no identity, or the answer does not depend on it
 */
export function metadataTree(facts: GoogleFactValues, account: Account | undefined): Directory {
  return directory({
    computeMetadata: directory({
      v1: directory({
        instance: directory({
          attributes: directory(
            {
              'cluster-location': leaf(facts.clusterLocation),
              'cluster-name': leaf(facts.clusterName),
              'cluster-uid': leaf(facts.clusterUid),
            },
            true,
          ),
          hostname: leaf(facts.hostname),
          id: leaf(facts.instanceId, { number: true }),
          name: leaf(facts.nodeName),
          'service-accounts': accountsDirectory(account),
          tags: leaf([], { json: true }),
          zone: leaf(zoneName(facts)),
        }),
        project: directory({
          'numeric-project-id': leaf(facts.numericProjectId, { number: true }),
          'project-id': leaf(facts.projectId),
        }),
        universe: directory({ 'universe-domain': leaf(facts.universeDomain) }),
      }),
    }),
  })
}

function accountsDirectory(account: Account | undefined): Directory {
  if (account === undefined) return directory({}, true)
  const own = directory({
    aliases: leaf(['default']),
    email: leaf(account.email),
    identity: { kind: 'hidden' },
    scopes: leaf(account.scopes),
    token: { kind: 'hidden' },
  })
  // A principal identifier has slashes, and so can't be the name of a directory.
  return directory({ default: own, [account.email]: account.email.includes('/') ? undefined : own }, true)
}

/** Clients take the last of exactly four parts; most never look at the second. */
function zoneName(facts: GoogleFactValues): string | undefined {
  return facts.zone && `projects/${facts.numericProjectId ?? facts.projectId}/zones/${facts.zone}`
}

function leaf(
  value: string | readonly string[] | undefined,
  { json = false, number = false } = {},
): Leaf | undefined {
  return value === undefined || value === '' ? undefined : { kind: 'leaf', value, json, number }
}

function directory(entries: Readonly<Record<string, TreeNode | undefined>>, verbatim = false): Directory {
  const present = Object.entries(entries).filter(
    (entry): entry is [string, TreeNode] => entry[1] !== undefined,
  )
  return { kind: 'directory', entries: new Map(present), verbatim }
}
