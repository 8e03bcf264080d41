import { writeFile } from 'node:fs/promises'
import { configurationPage } from './configuration-page.ts'
import { metricsPage } from './metrics-page.ts'

// npm run docs: the pages that are made from the source.

await writeFile('docs/configuration.md', configurationPage())
await writeFile('docs/metrics.md', metricsPage())
