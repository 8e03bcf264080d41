import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { TalliedCounter } from './tallied-counter.ts'
import { TalliedHistogram } from './tallied-histogram.ts'

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/**
 * Every metric of the daemon, its labels included; docs/metrics.md lists the same (a test compares the two). Label values
 * come from small fixed sets: never an address, a pod, a path or an e-mail, or a tenant could grow the daemon.
 */
export function createMetrics(registry: Registry = new Registry()) {
  const registers = [registry]
  return {
    registry,
    buildInfo: new Gauge({
      name: 'metadatad_build_info',
      help: 'Always 1; the label says which version this is.',
      labelNames: ['version'],
      registers,
    }),
    ready: new Gauge({
      name: 'metadatad_ready',
      help: '1 while the daemon can answer for its pods.',
      registers,
    }),
    answers: new TalliedCounter({
      name: 'metadatad_answers_total',
      help: 'Answers given to pods, by protocol, route and HTTP status.',
      labelNames: ['protocol', 'route', 'status'],
      registers,
    }),
    answerSeconds: new TalliedHistogram({
      name: 'metadatad_answer_seconds',
      help: 'Time from a parsed request to its answer, long polls left out.',
      labelNames: ['protocol'],
      buckets: SECONDS,
      registers,
    }),
    blocked: new Counter({
      name: 'metadatad_blocked_total',
      help: 'Requests for instance metadata that is not emulated, and so refused.',
      labelNames: ['protocol'],
      registers,
    }),
    connections: new Gauge({
      name: 'metadatad_connections',
      help: 'Open connections of pods.',
      registers,
    }),
    connectionsRefused: new Counter({
      name: 'metadatad_connections_refused_total',
      help: 'Connections closed at once because a pod or the node held too many.',
      labelNames: ['limit'],
      registers,
    }),
    identifications: new Counter({
      name: 'metadatad_identifications_total',
      help: 'Connections tied to a pod, or refused, by strategy and outcome (ok or the error code).',
      labelNames: ['strategy', 'outcome'],
      registers,
    }),
    held: new Histogram({
      name: 'metadatad_held_seconds',
      help: 'How long a request was held until its pod was known.',
      labelNames: ['outcome'],
      buckets: SECONDS,
      registers,
    }),
    liveReads: new Counter({
      name: 'metadatad_live_reads_total',
      help: "Reads of the node's pods made to confirm an address, by outcome.",
      labelNames: ['outcome'],
      registers,
    }),
    pods: new Gauge({ name: 'metadatad_pods', help: 'Pods of this node that are known.', registers }),
    serviceAccounts: new Gauge({
      name: 'metadatad_service_accounts',
      help: 'ServiceAccounts kept: annotated ones, and those that pods of this node use.',
      registers,
    }),
    kubernetesRequests: new Counter({
      name: 'metadatad_kubernetes_requests_total',
      help: 'Calls of the Kubernetes API, by verb, resource and outcome (ok or the error code).',
      labelNames: ['verb', 'resource', 'outcome'],
      registers,
    }),
    kubernetesSeconds: new Histogram({
      name: 'metadatad_kubernetes_request_seconds',
      help: 'Time of one call of the Kubernetes API, watches left out.',
      labelNames: ['verb', 'resource'],
      buckets: SECONDS,
      registers,
    }),
    watchStaleness: new Gauge({
      name: 'metadatad_watch_staleness_seconds',
      help: 'Seconds since the API server last confirmed what is known of a resource.',
      labelNames: ['resource'],
      registers,
    }),
    watchRestarts: new Counter({
      name: 'metadatad_watch_restarts_total',
      help: 'Watches that ended, by resource and reason (closed, expired, stalled, error).',
      labelNames: ['resource', 'reason'],
      registers,
    }),
    watchUndecodable: new Counter({
      name: 'metadatad_watch_undecodable_total',
      help: 'Objects from the API server that could not be read, and were left out.',
      labelNames: ['resource'],
      registers,
    }),
    subjectTokens: new Counter({
      name: 'metadatad_subject_tokens_total',
      help: 'Service-account tokens taken for an exchange, by source and outcome (ok or the error code).',
      labelNames: ['source', 'outcome'],
      registers,
    }),
    exchanges: new Counter({
      name: 'metadatad_exchange_requests_total',
      help: 'Calls of the clouds, by call and outcome (ok or the error code).',
      labelNames: ['call', 'outcome'],
      registers,
    }),
    exchangeSeconds: new Histogram({
      name: 'metadatad_exchange_request_seconds',
      help: 'Time of one call of a cloud.',
      labelNames: ['call'],
      buckets: SECONDS,
      registers,
    }),
    credentials: new Gauge({
      name: 'metadatad_credentials',
      help: 'Credentials held.',
      registers,
    }),
    credentialRequests: new TalliedCounter({
      name: 'metadatad_credential_requests_total',
      help: 'Requests for credentials, by kind and result (hit, joined, miss, stale, refused).',
      labelNames: ['kind', 'result'],
      registers,
    }),
    credentialsObtained: new Counter({
      name: 'metadatad_credentials_obtained_total',
      help: 'Attempts to obtain a credential, by kind, reason (request, prefetch, renewal) and outcome (ok or the error code).',
      labelNames: ['kind', 'reason', 'outcome'],
      registers,
    }),
    interceptionIntact: new Gauge({
      name: 'metadatad_interception_intact',
      help: '1 while rules, addresses and routes of the interception read back as they should be.',
      registers,
    }),
    interceptionServing: new Gauge({
      name: 'metadatad_interception_serving',
      help: '1 while new connections of pods arrive at this daemon, 0 before it took over and after another did.',
      registers,
    }),
    interceptionDrift: new Counter({
      name: 'metadatad_interception_drift_total',
      help: 'Things of the interception that another program changed, by what (table, rule, address, route); each is mended.',
      labelNames: ['what'],
      registers,
    }),
    interceptionProved: new Gauge({
      name: 'metadatad_interception_proved',
      help: '1 while the reports of a probe pod of this node say that pods reach the daemon and nothing else.',
      registers,
    }),
    interceptionFindings: new Counter({
      name: 'metadatad_interception_findings_total',
      help: 'What probe pods found wrong, by kind (reached, foreign, unanswered, refused, untested): one for each target of each report.',
      labelNames: ['kind'],
      registers,
    }),
    events: new Counter({
      name: 'metadatad_events_total',
      help: 'Kubernetes Events written about pods, by outcome (ok, dropped or the error code).',
      labelNames: ['outcome'],
      registers,
    }),
    proofReads: new Counter({
      name: 'metadatad_proof_reads_total',
      help: "Looks into the host's kernel for who is calling: at one pod's connections or at all pods' namespaces, by outcome (ok, gone, too_long, error).",
      labelNames: ['read', 'outcome'],
      registers,
    }),
    proofReadSeconds: new Histogram({
      name: 'metadatad_proof_read_seconds',
      help: "Time of one look into the host's kernel.",
      labelNames: ['read'],
      buckets: SECONDS,
      registers,
    }),
    missingRights: new Gauge({
      name: 'metadatad_missing_rights',
      help: '1 while the API server refuses a right that the daemon needs, 0 once it works again; docs/rights.md.',
      labelNames: ['verb', 'resource'],
      registers,
    }),
  }
}

/** The daemon's metrics: see {@link createMetrics}. */
export type Metrics = ReturnType<typeof createMetrics>
