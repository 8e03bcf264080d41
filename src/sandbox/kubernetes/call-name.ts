import { PUBLIC_PATHS } from './public-paths.ts'
import { parseRoute } from './route.ts'

/** Names a call for the counters: `list pods`, `create serviceaccounts/token`, `get /version`, or `other`. */
export function callName(method: string, url: URL): string {
  const route = parseRoute(method, url)
  if (route) return `${route.verb} ${route.resource}`
  return method === 'GET' && PUBLIC_PATHS.includes(url.pathname) ? `get ${url.pathname}` : 'other'
}
