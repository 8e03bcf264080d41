import type { KubeObject } from '../api.ts'

const VARIABLES = [
  'LOG_LEVEL',
  'HTTP_PORT',
  'DATABASE_URL',
  'CACHE_URL',
  'REGION',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
]

/** A pod as a Deployment of a service makes it: with the fields that the API server adds, about 4 KB of JSON. */
export function realisticPod(name: string, serviceAccountName: string, nodeName: string): KubeObject {
  const probe = (path: string) => ({ httpGet: { path, port: 8080 }, periodSeconds: 10, timeoutSeconds: 2 })
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels: {
        'app.kubernetes.io/name': serviceAccountName,
        'app.kubernetes.io/instance': `${serviceAccountName}-production`,
        'app.kubernetes.io/managed-by': 'Helm',
        'pod-template-hash': '5d8c7b9f46',
      },
      annotations: {
        'checksum/config': 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c',
        'prometheus.io/scrape': 'true',
        'prometheus.io/port': '9090',
      },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: `${serviceAccountName}-5d8c7b9f46`,
          uid: 'f0a7c7a2-5f0e-4a2b-9c56-0d6f4f1f6b11',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      nodeName,
      serviceAccountName,
      priority: 0,
      containers: [
        {
          name: 'main',
          image: `registry.example.com/production/${serviceAccountName}:v1.42.0`,
          ports: [
            { name: 'http', containerPort: 8080 },
            { name: 'metrics', containerPort: 9090 },
          ],
          env: VARIABLES.map((variable) => ({
            name: variable,
            valueFrom: {
              configMapKeyRef: { name: `${serviceAccountName}-config`, key: variable.toLowerCase() },
            },
          })),
          resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '512Mi' } },
          readinessProbe: probe('/readyz'),
          livenessProbe: probe('/healthz'),
          volumeMounts: [{ name: 'config', mountPath: '/etc/config', readOnly: true }],
        },
      ],
      volumes: [{ name: 'config', configMap: { name: `${serviceAccountName}-config` } }],
    },
  }
}
