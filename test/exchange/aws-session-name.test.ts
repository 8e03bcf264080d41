import fc from 'fast-check'
import t from 'tap'
import { awsSessionName } from '../../src/exchange/aws-session-name.ts'
import { HOLDER } from './cloud-server.ts'

const name = (namespace: string, name: string, uid = 'u') =>
  awsSessionName({ ...HOLDER, namespace, name, uid })

t.test('a session says namespace and pod', async (t) => {
  t.equal(name('team-a', 'web-7f9c-x2x'), 'team-a.web-7f9c-x2x')
  t.equal(name('a', 'b'.repeat(62)), `a.${'b'.repeat(62)}`)
})

t.test('what is too long is cut, and differs by the pod still', async (t) => {
  const long = 'p'.repeat(100)
  t.match(name('team-a', long, 'one'), /^team-a\.p{48}=[0-9a-f]{8}$/)
  t.not(name('team-a', long, 'one'), name('team-a', long, 'two'))
  t.equal(name('team-a', long, 'one'), name('team-a', long, 'one'))
  const namespace = 'n'.repeat(63)
  t.match(name(namespace, long), /^n{26}\+\.p{27}=[0-9a-f]{8}$/)
  t.match(name(namespace, 'pod'), /^n{50}\+\.pod=[0-9a-f]{8}$/)
})

t.test('every name is one that STS takes, and says which namespace it is of', async () => {
  const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/)
  const podName = fc
    .array(label, { minLength: 1, maxLength: 4 })
    .map((labels) => labels.join('.').slice(0, 253))
  fc.assert(
    fc.property(label, podName, fc.uuid(), label, (namespace, pod, uid, other) => {
      const session = name(namespace, pod, uid)
      if (!/^[\w+=,.@-]{2,64}$/.test(session)) return false
      return other === namespace || !session.startsWith(`${other}.`)
    }),
  )
})
