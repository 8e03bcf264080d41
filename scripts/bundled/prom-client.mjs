// What the daemon uses of prom-client. The package's own index also loads the metrics of processes and clusters, and
// OpenTelemetry for them.
export { default as Counter } from 'prom-client/lib/counter.js'
export { default as Gauge } from 'prom-client/lib/gauge.js'
export { default as Histogram } from 'prom-client/lib/histogram.js'
export { default as Registry } from 'prom-client/lib/registry.js'
