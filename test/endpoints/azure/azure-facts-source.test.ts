import t from 'tap'
import { AzureFactsSource } from '../../../src/endpoints/azure/azure-facts-source.ts'
import { NODE } from './start-azure.ts'

t.test('facts come from the configuration and the Node, and are empty before', async (t) => {
  const facts = new AzureFactsSource({ tenantId: 'tenant', cloud: 'usgov' })
  t.match(facts.current(), { tenantId: 'tenant', azEnvironment: 'AzureUSGovernmentCloud', location: '' })
  facts.update(NODE)
  t.strictSame(facts.current(), {
    tenantId: 'tenant',
    azEnvironment: 'AzureUSGovernmentCloud',
    location: 'westeurope',
    zone: '2',
    vmSize: 'Standard_D4s_v5',
    name: 'aks-pool-1234-vmss000000',
    privateIpAddress: '10.224.0.4',
  })
  const before = facts.current()
  facts.update({ ...NODE, labels: { ...NODE.labels, other: 'x' } })
  t.equal(facts.current(), before, 'a heartbeat changes nothing, not even the object')
})

t.test('a fault domain, and what is no zone of the region, is no zone', async (t) => {
  const facts = new AzureFactsSource({ tenantId: 'tenant', cloud: 'china' })
  for (const zone of ['0', 'westeurope', 'westeurope-', 'northeurope-1', 'europe-west1-b', 'westeurope-x']) {
    facts.update({ ...NODE, labels: { ...NODE.labels, 'topology.kubernetes.io/zone': zone } })
    t.equal(facts.current().zone, '', zone)
  }
})
