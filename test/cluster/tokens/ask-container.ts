import { type Answered, ask } from '../../support/ask.ts'
import type { ClusterDaemon } from '../start-daemon-in.ts'

/** One request of a pod for container credentials, as SDKs send it with `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`. */
export function askContainer(daemon: ClusterDaemon, ip: string, jwt: string): Promise<Answered> {
  return ask(daemon.containerHost, '/v1/credentials', { ip, headers: { Authorization: jwt } })
}
