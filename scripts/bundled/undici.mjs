// What the daemon uses of undici. The package's own index also loads its fetch, WebSocket, caches and mocks: a third of
// the bundle, and 4 MiB of memory.
import request from 'undici/lib/api/api-request.js'
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js'

Dispatcher.prototype.request = request

export { default as Agent } from 'undici/lib/dispatcher/agent.js'
export { default as EnvHttpProxyAgent } from 'undici/lib/dispatcher/env-http-proxy-agent.js'

const oneOff = (url, { dispatcher, ...options }) => {
  const { origin, pathname, search } = new URL(url)
  return dispatcher.request({ method: 'GET', ...options, origin, path: pathname + search })
}

export { oneOff as request }
