import * as v from 'valibot'
import { LOG_LEVELS } from '../lib/log.ts'
import { awsSchema } from './aws-schema.ts'
import { azureSchema } from './azure-schema.ts'
import { choice, duration, integer, list, listenAddress, listenAddresses, text, toggle } from './fields.ts'
import { googleSchema } from './google-schema.ts'
import { interceptSchema } from './intercept-schema.ts'
import { rulesSchema } from './rules-schema.ts'

const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/
const ABSOLUTE = /^\/[^\0]*$/
const PATH = /^[^\0]+$/
const TAINT = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/
const VALUE = /^[\x21-\x7e]{1,253}$/

const section = <const E extends v.ObjectEntries>(entries: E) =>
  v.optional(v.strictObject(entries), {} as never)

/**
 * Every key of the configuration, with its default and what it means: flags, environment variables, the JSON Schema
 * and docs/configuration.md are all made from this.
 */
export const configSchema = v.strictObject({
  node: section({
    name: v.optional(
      text('the name of a Kubernetes node', NAME, {
        description: 'Name of the node whose pods are answered. Default: `$NODE_NAME`, then the host name.',
        examples: ['node-1'],
      }),
    ),
    startupTaint: v.optional(
      text('the key of a taint', TAINT, {
        description:
          "Key of a taint that is removed from the node once pods can be answered. It keeps pods away from a node that is not ready for them; the daemon's ServiceAccount needs the right to patch nodes.",
        examples: ['metadatad.dev/not-ready'],
      }),
    ),
  }),
  cluster: section({
    name: v.optional(
      text('a text without spaces', VALUE, {
        description: "The cluster's name, shown as `instance/attributes/cluster-name`.",
        examples: ['prod'],
      }),
    ),
    location: v.optional(
      text('a text without spaces', VALUE, {
        description: "The cluster's region or zone, shown as `instance/attributes/cluster-location`.",
        examples: ['europe-west1'],
      }),
    ),
    uid: v.optional(
      text('a text without spaces', VALUE, {
        description: "The cluster's own ID, shown as `instance/attributes/cluster-uid`.",
        examples: ['0b6a3a6e-4f5c-4ad7-8b2e-7f0f5b0c1d2e'],
      }),
    ),
  }),
  kubernetes: section({
    kubeconfig: v.optional(
      text('the path of a file', PATH, {
        description:
          "Kubeconfig file. Default: the pod's own service account in a cluster, else `$KUBECONFIG`.",
        examples: ['/etc/metadatad/kubeconfig'],
      }),
    ),
    context: v.optional(
      text('the name of a context', PATH, {
        description: "Context of the kubeconfig file. Default: the file's current one.",
        examples: ['prod'],
      }),
    ),
  }),
  subjectToken: section({
    source: v.optional(
      choice(['auto', 'tokenRequest', 'projected'], {
        description:
          "Where pods' Kubernetes tokens come from: the projected token on the node's disk (`projected`), the TokenRequest API (`tokenRequest`), or the first where a pod has one and else the second (`auto`).",
        examples: ['tokenRequest'],
      }),
      'auto',
    ),
    kubeletRoot: v.optional(
      text('an absolute path', ABSOLUTE, {
        description: "The kubelet's root directory, as the daemon sees it.",
        examples: ['/var/lib/kubelet'],
      }),
      '/var/lib/kubelet',
    ),
    expiration: v.optional(
      duration('10m', '24h', {
        description: 'Life asked for a token of the TokenRequest API.',
        examples: ['1h'],
      }),
      '1h',
    ),
  }),
  caller: section({
    proof: v.optional(
      choice(['require', 'prefer', 'off'], {
        description:
          "Proof from the kernel that a connection was made inside the pod's own network namespace: for every connection (`require`), for every one where proof can exist (`prefer`; needs `hostPID` and the host's cgroups, and without them the watch decides), or never (`off`).",
        examples: ['prefer'],
      }),
      'prefer',
    ),
    sandboxedRuntimes: v.optional(
      list('the name of a RuntimeClass', NAME, {
        description:
          "RuntimeClasses whose pods have a network stack of their own (gVisor, Kata): the host's kernel can prove nothing about them, so the watch alone decides.",
        examples: ['gvisor'],
      }),
      [],
    ),
    procRoot: v.optional(
      text('an absolute path', ABSOLUTE, {
        description: "The host's `/proc`, as the daemon sees it; with `hostPID` it is its own.",
        examples: ['/proc'],
      }),
      '/proc',
    ),
    cgroupRoot: v.optional(
      text('an absolute path', ABSOLUTE, {
        description: "The host's cgroup hierarchy (version 1 or 2), as the daemon sees it.",
        examples: ['/sys/fs/cgroup'],
      }),
      '/sys/fs/cgroup',
    ),
    confirmWithin: v.optional(
      duration('0s', '10m', {
        description:
          'A pod that the API server has not confirmed for this long is confirmed by a read before a new connection is answered. `0s` confirms every connection.',
        examples: ['30s'],
      }),
      '30s',
    ),
    serveUnconfirmed: v.optional(
      toggle({
        description:
          'Go on serving pods that cannot be confirmed because the API server cannot be reached. Addresses may have moved to other pods meanwhile.',
        examples: ['false'],
      }),
      false,
    ),
  }),
  google: v.optional(googleSchema),
  aws: v.optional(awsSchema),
  azure: v.optional(azureSchema),
  rules: rulesSchema,
  credentials: section({
    prefetch: v.optional(
      toggle({ description: "Obtain a pod's credential before it asks for it.", examples: ['true'] }),
      true,
    ),
    maxPerPod: v.optional(
      // Two make one: the token of a service account is obtained with a federated token.
      integer(2, 10_000, {
        description: 'Different credentials (audiences, scopes) that are held for one pod at most.',
        examples: ['64'],
      }),
      64,
    ),
    refusalTtl: v.optional(
      duration('0s', '10m', {
        description: 'How long a permanent refusal of the cloud is remembered.',
        examples: ['10s'],
      }),
      '10s',
    ),
  }),
  listen: section({
    metadata: v.optional(
      listenAddresses({
        description: 'Addresses at which pods are answered.',
        examples: ['169.254.169.252:988'],
      }),
      ['169.254.169.252:988'],
    ),
    containerCredentials: v.optional(
      listenAddresses(
        {
          description:
            'Addresses at which container credentials (`AWS_CONTAINER_CREDENTIALS_FULL_URI`) are answered; needs `aws`. Where packets are intercepted only the addresses that SDKs know: 169.254.170.23:80, [fd00:ec2::23]:80, and with `aws.relativeUri` 169.254.170.2:80.',
          examples: ['169.254.170.23:80'],
        },
        0,
      ),
      [],
    ),
    admin: v.optional(
      listenAddress({
        description: 'Address of `/metrics`, `/healthz` and `/readyz`.',
        examples: ['127.0.0.1:9989'],
      }),
      '127.0.0.1:9989',
    ),
    health: v.optional(
      text('an absolute path', ABSOLUTE, {
        description:
          'Directory in which the files `live` and `ready` are kept fresh, for exec probes: two daemons share an address during an update, but not a directory.',
        examples: ['/run/metadatad'],
      }),
    ),
    drain: v.optional(
      duration('0s', '10m', {
        description:
          "How long open connections may still be used after the daemon was asked to stop. SDKs keep idle ones for 90 s. The pod's `terminationGracePeriodSeconds` must be longer.",
        examples: ['95s'],
      }),
      '95s',
    ),
  }),
  intercept: interceptSchema,
  limits: section({
    connectionsPerPod: v.optional(
      integer(1, 65_535, { description: 'Open connections of one pod at most.', examples: ['2048'] }),
      2048,
    ),
    connections: v.optional(
      integer(1, 1_000_000, { description: 'Open connections of all pods at most.', examples: ['10000'] }),
      10_000,
    ),
  }),
  stateDir: v.optional(
    text('an absolute path', ABSOLUTE, {
      description: 'Directory of what is kept across restarts; this version keeps nothing yet.',
      examples: ['/var/lib/metadatad'],
    }),
    '/var/lib/metadatad',
  ),
  upstream: section({
    caFile: v.optional(
      text('the path of a file', PATH, {
        description: 'PEM certificates that are trusted, besides the usual ones, when a cloud is called.',
        examples: ['/etc/metadatad/ca.pem'],
      }),
    ),
    proxy: v.optional(
      choice(['environment', 'none'], {
        description: 'Use the proxy that `HTTPS_PROXY` and `NO_PROXY` name when a cloud is called, or none.',
        examples: ['none'],
      }),
      'environment',
    ),
  }),
  log: section({
    level: v.optional(
      choice(LOG_LEVELS, { description: 'Least important messages that are logged.', examples: ['info'] }),
      'info',
    ),
    format: v.optional(
      choice(['json', 'pretty'], {
        description: 'One JSON object a line, or text for people.',
        examples: ['pretty'],
      }),
      'json',
    ),
  }),
})
