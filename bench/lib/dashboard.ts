import { readFileSync } from 'node:fs'

/** What a panel asks Prometheus for. */
interface Target {
  readonly expr: string
  readonly legendFormat: string
}

/** A panel of the dashboard. */
export interface Panel {
  readonly type: string
  readonly title: string
  readonly description: string
  readonly targets: readonly Target[]
  readonly fieldConfig: { readonly defaults: { readonly unit: string } }
}

const DASHBOARD = new URL('../../helm/key-server/dashboard.json', import.meta.url)

/** The panels of the dashboard that the chart hands to Grafana. */
export function readPanels(): Panel[] {
  return JSON.parse(readFileSync(DASHBOARD, 'utf8')).panels
}

/** An expression with what Grafana puts in: all releases, and rates over `interval`. */
export function withVariables(expr: string, interval: string): string {
  return expr.replaceAll('$__rate_interval', interval).replaceAll(/\$(namespace|service)\b/g, '.*')
}
