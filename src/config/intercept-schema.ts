import * as v from 'valibot'
import { allowedAddresses } from './allowed-addresses.ts'
import { choice, text, toggle } from './fields.ts'

const SERVICE_ACCOUNT = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\/[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/

/** The `intercept` section: how pods' packets arrive. */
export const interceptSchema = v.optional(
  v.strictObject({
    mode: v.optional(
      choice(['none', 'redirect', 'bind'], {
        description:
          'How packets for the metadata addresses arrive: by rules that redirect those of pods (`redirect`, for nodes with a metadata server of their own), by the addresses themselves on the node (`bind`, for nodes without one), or by something else (`none`).',
        examples: ['redirect'],
      }),
      'none',
    ),
    allow: v.optional(
      allowedAddresses({
        description:
          "Metadata addresses at which pods may reach a resolver (port 53) or a time server (port 123). Where the node's own resolver is such an address, cluster DNS needs it.",
        examples: ['169.254.169.254:53'],
      }),
      [],
    ),
    keepPodIdentityAgent: v.optional(
      toggle({
        description:
          'Leave 169.254.170.23 and fd00:ec2::23 to the EKS Pod Identity agent of the node, instead of refusing to install beside it.',
        examples: ['true'],
      }),
      false,
    ),
    trustPrerouting: v.optional(
      toggle({
        description:
          "Install the rules although Cilium was found, whose eBPF host routing lets pods' packets skip them. Only where `cilium status` says `Host Routing: Legacy`.",
        examples: ['true'],
      }),
      false,
    ),
    probe: v.optional(
      text('NAMESPACE/SERVICEACCOUNT', SERVICE_ACCOUNT, {
        description: 'The ServiceAccount whose pods report what they reach: see `metadatad intercept probe`.',
        examples: ['metadatad/metadatad-probe'],
      }),
      'metadatad/metadatad-probe',
    ),
  }),
  {} as never,
)
