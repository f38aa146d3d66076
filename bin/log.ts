// The control plane's log: JSON lines, no secrets.
import { pino } from 'pino'
import type { Log } from '#base/context.ts'
import { silentLog } from '#base/context.ts'

export function openLog(level: string, file?: string): Log {
  if (level === 'silent') return silentLog
  const redact = { paths: ['token', 'password', 'adminPass', '*.token', '*.password', '*.adminPass', 'headers["x-auth-token"]'], censor: '***' }
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact }, pino.destination({ dest: file ?? 2, sync: true, mkdir: true, mode: 0o600 }))
}
