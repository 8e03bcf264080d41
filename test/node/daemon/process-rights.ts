import type { LabNode } from '../lab/lab-node.ts'

/** What a process may do (proc_pid_status(5)): fields of /proc/PID/status as the kernel spells them. */
export type Rights = Readonly<Record<(typeof FIELDS)[number], string>>

const FIELDS = ['Uid', 'CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp'] as const
const NONE = '0'.repeat(16)

/** @param pid inside the node */
export async function processRights({ space }: LabNode, pid: number): Promise<Rights> {
  const status = await space.run('cat', [`/proc/${pid}/status`])
  const values = FIELDS.map((field) => [field, new RegExp(`^${field}:\\s*(\\S+)`, 'm').exec(status)?.[1]])
  return Object.fromEntries(values)
}

/** What processes of the manifests are to have: nothing but a user and capabilities (numbers of capability.h). */
export function statedRights(uid: number, capabilities: readonly number[]): Rights {
  const set = capabilities.reduce((sum, number) => sum | (1n << BigInt(number)), 0n)
  const held = set.toString(16).padStart(NONE.length, '0')
  const filtered = { NoNewPrivs: '1', Seccomp: '2' }
  return {
    Uid: String(uid),
    CapInh: NONE,
    CapPrm: held,
    CapEff: held,
    CapBnd: held,
    CapAmb: NONE,
    ...filtered,
  }
}
