import fc from 'fast-check'
import t from 'tap'
import { azureScope } from '../../src/exchange/azure-scope.ts'
import { MetadatadError } from '../../src/lib/errors.ts'

t.test('a resource becomes the scope of all that the application has there', async (t) => {
  t.equal(azureScope('https://management.azure.com'), 'https://management.azure.com/.default')
  t.equal(azureScope('https://vault.azure.net/'), 'https://vault.azure.net//.default')
  t.equal(azureScope('https://vault.azure.net//'), 'https://vault.azure.net///.default')
  t.equal(azureScope('https://graph.microsoft.com/.default'), 'https://graph.microsoft.com/.default')
  t.equal(azureScope('https://vault.azure.net//.default'), 'https://vault.azure.net//.default')
  const guid = 'cfa8b339-82a2-471a-a3c9-0fc0be7a4093'
  t.equal(azureScope(guid), `${guid}/.default`)
  t.equal(azureScope('api://x/.DEFAULT'), 'api://x/.DEFAULT/.default')
})

t.test('what could be two scopes, or none, is refused', async (t) => {
  for (const resource of ['', ' ', 'a b', 'a\nb', 'a\tb', 'https://ü', '/.default', 'x'.repeat(1_025)]) {
    t.throws(
      () => azureScope(resource),
      { code: 'REQUEST_INVALID', fault: 'caller', retryable: false },
      resource,
    )
  }
})

t.test('every resource gives one scope that is its own, or a refusal', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.webUrl(), fc.string({ unit: 'binary' })), (resource) => {
      try {
        const scope = azureScope(resource)
        return (
          /^[\x21-\x7e]+\/\.default$/.test(scope) && azureScope(scope) === scope && scope.startsWith(resource)
        )
      } catch (error) {
        return error instanceof MetadatadError && !/^[\x21-\x7e]{1,1024}$/.test(resource)
      }
    }),
  )
})
