import { cgroupFolder, hierarchies } from './hierarchies.ts'

/** A command line that runs the program after it in the cgroup, in every hierarchy. */
export function entering(cgroup: string): readonly [string, ...string[]] {
  const enter = hierarchies().map((it) => `echo $$ > '${cgroupFolder(it, cgroup)}/cgroup.procs'`)
  return ['sh', '-c', [...enter, 'exec "$@"'].join(' && '), 'sh']
}
