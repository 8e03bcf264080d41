import { readFileSync } from 'node:fs'

/** What a process has used. */
export interface ProcessUsage {
  /** User and system time of all threads, living and ended. */
  readonly cpuSeconds: number
  /** Resident memory now. */
  readonly rssMiB: number
  /** The most it has had so far. */
  readonly peakMiB: number
}

/** `USER_HZ`: the unit of proc_pid_stat(5), the same on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100

/** Reads a process's use of the machine from Linux's proc(5). */
export function processUsage(pid: number): ProcessUsage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The second field is the program's name in parentheses, which may hold anything; utime and stime are 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const mebibytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)![1]) / 1024
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    rssMiB: mebibytes('VmRSS'),
    peakMiB: mebibytes('VmHWM'),
  }
}
