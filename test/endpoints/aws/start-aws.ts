import { createSecretKey, type KeyObject } from 'node:crypto'
import { AwsFactsSource } from '../../../src/endpoints/aws/aws-facts-source.ts'
import type { AwsPipeline, RoleSession } from '../../../src/endpoints/aws/aws-pipeline.ts'
import { createAwsProtocol } from '../../../src/endpoints/aws/aws-protocol.ts'
import type { Passthrough } from '../../../src/endpoints/passthrough.ts'
import type { Clock } from '../../../src/lib/clock.ts'
import { MetadatadError } from '../../../src/lib/errors.ts'
import type { Log } from '../../../src/lib/log.ts'
import { Secret } from '../../../src/lib/secret.ts'
import { type TestCaller, testCaller } from '../../support/endpoint-fixture.ts'
import { startProtocols } from '../start-protocols.ts'

/** The node as the kubelet of an EKS node describes it. */
export const NODE = {
  name: 'ip-10-0-1-2.us-east-2.compute.internal',
  createdAt: Date.UTC(2026, 0, 1),
  labels: {
    'topology.kubernetes.io/region': 'us-east-2',
    'topology.kubernetes.io/zone': 'us-east-2b',
    'topology.k8s.aws/zone-id': 'use2-az2',
    'node.kubernetes.io/instance-type': 'm7g.large',
    'kubernetes.io/arch': 'arm64',
  },
  providerId: 'aws:///us-east-2b/i-0123456789abcdef0',
  internalIps: ['fd00::1', '10.0.1.2'],
  hostname: undefined,
}

/** Every pod has the role `NAME-role` of account 123456789012, and sessions that say whose they are. */
export function awsPipeline(clock: Clock): AwsPipeline {
  return {
    resolve(caller) {
      const { identity } = caller as TestCaller
      if (identity instanceof MetadatadError) throw identity
      const roleName = `${caller.pod.name}-role`
      return {
        cloud: 'aws',
        roleArn: `arn:aws:iam::123456789012:role/team/${roleName}`,
        roleName,
        accountId: '123456789012',
        partition: 'aws',
        audience: 'sts.amazonaws.com',
        tokenExpirationSeconds: undefined,
        globalEndpoint: false,
      }
    },
    roleSession: (_caller, { roleArn }) => ({
      key: `aws ${roleArn}`,
      kind: 'test',
      identity: roleArn,
      shareBy: 'pod',
      minimumRemainingMs: 0,
      async obtain({ holder }): Promise<RoleSession> {
        const now = clock.now()
        return {
          accessKeyId: `ASIA-${holder.name}`,
          secretAccessKey: new Secret(`secret-${holder.uid}`),
          sessionToken: new Secret(`session-${holder.uid}`),
          accountId: '123456789012',
          obtainedAt: now,
          expiresAt: now + 3_600_500,
          digest: 'sha256:0',
        }
      },
    }),
  }
}

/** The AWS endpoint alone. 127.0.0.1 is the pod `alpha`, 127.0.0.2 the pod `beta`. */
export async function startAws(
  t: Parameters<typeof startProtocols>[0],
  options: {
    imdsV1?: boolean
    clock?: Clock
    log?: Log
    key?: KeyObject
    passthrough?: (clock: Clock) => Passthrough
  } = {},
) {
  const facts = new AwsFactsSource({ region: 'us-east-2' })
  facts.update(NODE)
  const endpoints = await startProtocols(
    t,
    (parts) => [
      createAwsProtocol({
        ...parts,
        pipeline: awsPipeline(parts.clock),
        facts,
        config: { imdsV1: options.imdsV1 ?? false },
        tokenKey: options.key ?? createSecretKey(Buffer.alloc(32, 1)),
        passthrough: options.passthrough?.(parts.clock),
      }),
    ],
    options,
  )
  endpoints.identifier.set('127.0.0.1', testCaller('alpha'))
  endpoints.identifier.set('127.0.0.2', testCaller('beta'))

  async function token(from?: string, ttl = '21600'): Promise<string> {
    const put = { method: 'PUT', headers: { 'X-aws-ec2-metadata-token-ttl-seconds': ttl } }
    const answer = await endpoints.ask('/latest/api/token', from === undefined ? put : { ...put, from })
    if (answer.status !== 200) throw new Error(`no token: ${answer.status}`)
    return answer.body
  }

  /** GET with a token, by default one taken just before from the same address. */
  async function get(path: string, options: { from?: string; token?: string } = {}) {
    const headers = { 'x-aws-ec2-metadata-token': options.token ?? (await token(options.from)) }
    return await endpoints.ask(
      path,
      options.from === undefined ? { headers } : { headers, from: options.from },
    )
  }

  return { ...endpoints, facts, token, get }
}
