import t from 'tap'
import { InstanceFacts } from '../../../src/endpoints/google/instance-facts.ts'
import { metadataTree } from '../../../src/endpoints/google/metadata-tree.ts'
import { renderFlat, renderJson } from '../../../src/endpoints/google/render-node.ts'

const options = { projectId: 'p1', nodeName: 'n1', universeDomain: 'googleapis.com' }

t.test('everything, as JSON with large numbers kept and data names as they are', async (t) => {
  const facts = {
    ...options,
    hostname: 'h',
    numericProjectId: '1',
    instanceId: '9223372036854775807',
    clusterName: 'c',
  }
  const json = renderJson(metadataTree(facts, { email: 'a-b@p1.iam', scopes: ['s1'] }))
  const own = '{"aliases":["default"],"email":"a-b@p1.iam","scopes":["s1"]}'
  t.equal(
    json,
    '{"computeMetadata":{"v1":{"instance":{"attributes":{"cluster-name":"c"},"hostname":"h","id":9223372036854775807,' +
      `"name":"n1","serviceAccounts":{"default":${own},"a-b@p1.iam":${own}},"tags":[]},` +
      '"project":{"numericProjectId":1,"projectId":"p1"},"universe":{"universeDomain":"googleapis.com"}}}}',
  )
})

t.test('everything, as lines of path and value', async (t) => {
  const facts = { ...options, hostname: 'h', zone: 'z' }
  t.equal(
    renderFlat(metadataTree(facts, { email: 'e@p', scopes: ['s1', 's2'] })),
    `computeMetadata/v1/instance/hostname h
computeMetadata/v1/instance/name n1
computeMetadata/v1/instance/service-accounts/default/aliases default
computeMetadata/v1/instance/service-accounts/default/email e@p
computeMetadata/v1/instance/service-accounts/default/scopes s1
computeMetadata/v1/instance/service-accounts/default/scopes s2
computeMetadata/v1/instance/service-accounts/e@p/aliases default
computeMetadata/v1/instance/service-accounts/e@p/email e@p
computeMetadata/v1/instance/service-accounts/e@p/scopes s1
computeMetadata/v1/instance/service-accounts/e@p/scopes s2
computeMetadata/v1/instance/zone projects/p1/zones/z
computeMetadata/v1/project/project-id p1
computeMetadata/v1/universe/universe-domain googleapis.com
`,
  )
})

t.test('an e-mail that is a principal identifier is shown, but is no directory', async (t) => {
  const email = 'principal://iam.googleapis.com/projects/1/subject/x'
  const json = renderJson(metadataTree({ ...options, hostname: 'h' }, { email, scopes: [] }))
  t.strictSame(JSON.parse(json).computeMetadata.v1.instance.serviceAccounts, {
    default: { aliases: ['default'], email, scopes: [] },
  })
})

t.test('facts come from the configuration until the node is known', async (t) => {
  const facts = new InstanceFacts({ ...options, clusterLocation: 'europe-west1' })
  t.match(facts.current(), { zone: 'europe-west1', instanceId: undefined, hostname: 'n1.c.p1.internal' })
  let changes = 0
  const stop = facts.onChange(() => changes++)
  facts.update({ uid: 'u1', labels: { 'topology.kubernetes.io/zone': 'europe-west1-b' } })
  const { instanceId } = facts.current()
  t.match(instanceId, /^\d{1,19}$/)
  t.equal(facts.current().zone, 'europe-west1-b')
  const before = facts.current()
  facts.update({ uid: 'u1', labels: { 'topology.kubernetes.io/zone': 'europe-west1-b', other: 'x' } })
  t.equal(facts.current(), before, 'a change of nothing that is shown')
  t.equal(changes, 1)
  stop()
  facts.update({ uid: 'u2', labels: {} })
  t.equal(changes, 1)
  t.not(facts.current().instanceId, instanceId)
})

t.test('the host name of a node in a domain-scoped project', async (t) => {
  const facts = new InstanceFacts({ ...options, projectId: 'example.com:p1' })
  t.equal(facts.current().hostname, 'n1.c.p1.example.com.internal')
})
