/** The path of something in a namespace of the core API: `apiPath('NAMESPACE', 'pods', 'NAME')`. */
export function apiPath(namespace: string, ...segments: readonly string[]): string {
  return `/api/v1/namespaces/${[namespace, ...segments].map(encodeURIComponent).join('/')}`
}
