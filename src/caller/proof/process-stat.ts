/**
 * When a process was started, from `/proc/PID/stat` (proc_pid_stat(5), field 22), in clock ticks since the boot. With the
 * process id it names one process for ever: an id is not used twice within a tick. The name in field 2 may hold anything,
 * spaces and parentheses among it, so fields are counted from the last `)`.
 *
 * @returns undefined if `text` is no such file
 */
export function startTicks(text: string): number | undefined {
  const end = text.lastIndexOf(')')
  if (end < 0) return undefined
  const field = text.slice(end + 2).split(' ', 21)[19]
  return field !== undefined && /^\d{1,15}$/.test(field) ? Number(field) : undefined
}
