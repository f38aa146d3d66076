// The numbers a monitoring system fetches. The library is loaded at the first look, so a cloud nobody looks at does not carry it;
// until then requests are counted in a plain table.
import type { Cloud } from './cloud.ts'
import { cloudStatus, type CloudStatus } from './status-report.ts'

/** Upper bounds in seconds. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

interface Tally { service: string, operation: string, status: number, count: number, sumSeconds: number, buckets: number[] }

export interface Metrics {
  /** For HttpOptions.finished. */
  finished(service: string, operation: string, status: number, seconds: number): void
  /** The exposition format's text and its content type. */
  render(cloud: Cloud): Promise<{ type: string, text: string }>
}

export function createMetrics(): Metrics {
  let gauges: Awaited<ReturnType<typeof openGauges>> | undefined
  // Bounded by the lists of operations and the statuses they answer: what is unknown is counted under `none`.
  const tallies = new Map<string, Tally>()
  return {
    finished(service, operation, status, seconds) {
      const key = `${service} ${operation} ${status}`
      let tally = tallies.get(key)
      if (!tally) tallies.set(key, tally = { service, operation, status, count: 0, sumSeconds: 0, buckets: new Array<number>(buckets.length).fill(0) })
      tally.count++
      tally.sumSeconds += seconds
      const at = buckets.findIndex((bound) => seconds <= bound)
      if (at >= 0) tally.buckets[at]!++
    },
    async render(cloud) {
      gauges ??= await openGauges()
      return { type: gauges.registry.contentType, text: requestLines([...tallies.values()]) + await gauges.render(await cloudStatus(cloud)) }
    },
  }
}

/** The library's part: this process, and what the tables tell at the moment of looking. */
async function openGauges() {
  const { collectDefaultMetrics, Gauge, Registry } = await import('prom-client')
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const gauge = (name: string, help: string, ...labelNames: string[]) => new Gauge({ name: `pileus_${name}`, help, labelNames, registers: [registry] })
  const servers = gauge('servers', 'Servers by vm_state.', 'state'), sagas = gauge('sagas', 'Sagas that have not ended, by state.', 'state')
  const outbox = gauge('outbox_messages', 'Messages that wait to go out.'), dead = gauge('dead_letters', 'Messages that were given up on.')
  const hosts = gauge('hosts', 'Hosts, by whether they have reported lately.', 'up')
  return {
    registry,
    render(status: CloudStatus): Promise<string> {
      servers.reset()
      for (const [state, n] of Object.entries(status.servers)) servers.set({ state }, n)
      for (const [state, n] of Object.entries(status.sagas)) sagas.set({ state }, n)
      outbox.set(status.outbox)
      dead.set(status.dead_letters)
      const up = status.hosts.filter((h) => h.up).length
      hosts.set({ up: 'true' }, up)
      hosts.set({ up: 'false' }, status.hosts.length - up)
      return registry.metrics()
    },
  }
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

/** The histogram of requests; its +Inf bucket is the count of requests by service, operation and status. */
function requestLines(tallies: Tally[]): string {
  const name = 'pileus_http_request_seconds'
  const lines = [`# HELP ${name} Requests and how long they took.`, `# TYPE ${name} histogram`]
  for (const t of tallies) {
    const labels = `service="${escaped(t.service)}",operation="${escaped(t.operation)}",status="${t.status}"`
    let sum = 0
    buckets.forEach((bound, i) => lines.push(`${name}_bucket{${labels},le="${bound}"} ${sum += t.buckets[i]!}`))
    lines.push(`${name}_bucket{${labels},le="+Inf"} ${t.count}`, `${name}_sum{${labels}} ${t.sumSeconds}`, `${name}_count{${labels}} ${t.count}`)
  }
  return `${lines.join('\n')}\n`
}
