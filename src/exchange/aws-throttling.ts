import { LRUCache } from 'lru-cache'
import { createThrottleGate, type ThrottleGate, type ThrottleGateOptions } from './throttle-gate.ts'

/** The gate that a call of STS for a role of this account passes. */
export type AwsThrottling = (accountId: string) => ThrottleGate

const NODE_MS = 500
/** From one time that the node is held back to the next: it is free for as long as it is held back, at least. */
const NODE_EVERY_MS = 2 * NODE_MS
const MAX_ACCOUNTS = 256

/**
 * After a throttle no call of this node is sent for half a second at most, and none for a role of the same account until that
 * account's back-off ends, which doubles. STS counts by account: a tenant who has his own accounts throttled, however many, must
 * not be able to keep everybody else's sessions from being renewed.
 */
export function createAwsThrottling(options: Omit<ThrottleGateOptions, 'service' | 'maxMs'>): AwsThrottling {
  const { clock, log, random } = options
  const node = createThrottleGate({ clock, log, random, service: 'aws sts', maxMs: NODE_MS })
  let heldBackAt = Number.NEGATIVE_INFINITY
  const accounts = new LRUCache<string, ThrottleGate>({ max: MAX_ACCOUNTS })

  return (accountId) => {
    const service = `aws sts, account ${accountId}`
    const account = accounts.get(accountId) ?? createThrottleGate({ clock, log, random, service })
    accounts.set(accountId, account)
    return {
      closedMs: () => Math.max(node.closedMs(), account.closedMs()),
      throttled(sentAt, retryAfterMs) {
        // The other way round: the node's clock was set back.
        if (Math.abs(clock.now() - heldBackAt) >= NODE_EVERY_MS) {
          heldBackAt = clock.now()
          node.throttled(sentAt, undefined)
        }
        account.throttled(sentAt, retryAfterMs)
      },
      passed(sentAt) {
        node.passed(sentAt)
        account.passed(sentAt)
      },
    }
  }
}
