import type { Firing, Scenario } from './promtool.ts'
import { type PodTraffic, release, target } from './release.ts'

interface Expected extends Scenario {
  readonly firing: readonly Firing[]
}

/** What makes an alert fire and what comes close to it, each named by how. */
interface AlertCase {
  readonly fires: Readonly<Record<string, Expected>>
  readonly spares: Readonly<Record<string, Scenario>>
}

/** By the alerts' names. */
export type AlertCases = Readonly<Record<string, AlertCase>>

/** The labels of the release that `release` makes. */
export const service = { namespace: 'keys', service: 'key-server' }

/** A release of one pod, looked at after so many minutes. */
export function onePod(traffic: PodTraffic, minute: number): Scenario {
  return { series: release({ pods: [traffic] }), minute }
}

/** One alert for the release. */
export function ofService(severity: string, signal: string, summary: string, description: string): Firing[] {
  return [{ labels: { ...service, severity, signal }, summary, description }]
}

/** One alert for its first pod. */
export function ofPod(severity: string, signal: string, summary: string, description: string): Firing[] {
  return [{ labels: { ...target('key-server-0'), severity, signal }, summary, description }]
}
