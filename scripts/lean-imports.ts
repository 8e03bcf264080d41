import { fileURLToPath } from 'node:url'
import type { Plugin } from 'esbuild'

/**
 * Keeps out of memory what the daemon never calls. Names imported from a builtin are read from all of its exports at
 * once when they are imported as a module, and reading some of `node:http`'s loads Node's own copy of undici: 6 MiB and
 * 30 ms. So builtins are required. Of some packages only the parts in `scripts/bundled` are taken; an import of anything
 * else from them fails the build.
 */
export const leanImports: Plugin = {
  name: 'lean-imports',
  setup(build) {
    // undici works without it, and speaks HTTP/2 to nobody who did not ask for it.
    build.onResolve({ filter: /^node:http2$/ }, () => ({ path: 'http2', namespace: 'absent' }))
    build.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'exports.constants = {}' }))
    build.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'builtin' } : undefined,
    )
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`,
    }))
    build.onResolve({ filter: /^(?:undici|prom-client)$/ }, ({ path }) => ({
      path: fileURLToPath(new URL(`bundled/${path}.mjs`, import.meta.url)),
    }))
  },
}
