/** What a line of `kubectl describe pod` says of an Event, but for its age and its count. */
export interface DescribedEvent {
  readonly pod: string
  readonly reason: string
  readonly message: string
}

const LINE = /^ +Warning +(\S+) +\S.*? +metadatad +(\S.*)$/

/** The daemon's Events in what `kubectl describe pod` printed of one or more pods, in the order of pods and of their text. */
export function describedEvents(printed: string): DescribedEvent[] {
  const events: DescribedEvent[] = []
  let pod = ''
  for (const line of printed.split('\n')) {
    pod = /^Name: +(\S+)$/.exec(line)?.[1] ?? pod
    const [, reason, message] = LINE.exec(line) ?? []
    if (reason !== undefined && message !== undefined) events.push({ pod, reason, message })
  }
  const text = ({ pod, reason, message }: DescribedEvent) => `${pod} ${reason} ${message}`
  return events.sort((a, b) => (text(a) < text(b) ? -1 : 1))
}
