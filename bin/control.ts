// Talks to a running cloud over its control socket, and waits for its end.
import { request } from 'node:http'
import { ended, isRunning, kill, signalProcess } from '#host/processes.ts'
import { controlSocketOf, findRunning, forgetRunning, type Running } from './state-dir.ts'
import { Usage } from './usage.ts'

/** Asks the cloud in `dir`; its answer as JSON. Throws a Usage when it does not answer. */
export function ask<T>(dir: string, method: 'GET' | 'POST', path: string, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const req = request({ socketPath: controlSocketOf(dir), method, path, headers: { host: 'localhost' }, timeout: timeoutMs }, (res) => {
      let text = ''
      res.setEncoding('utf8').on('data', (chunk: string) => { text += chunk }).on('end', () => {
        const body = JSON.parse(text) as T & { error?: string }
        if (res.statusCode === 200) resolve(body)
        else reject(new Usage(`the cloud could not answer: ${body.error}`))
      })
    })
    req.on('timeout', () => req.destroy(new Error('it took too long')))
    req.on('error', (error: NodeJS.ErrnoException) => reject(new Usage(error.code === 'EACCES' ? 'the cloud is somebody else\'s; ask as its owner (root?)' : `the cloud does not answer (${error.message}); its log: ./pileus logs`)))
    req.end()
  })
}

/** How long a control plane may take to end in order. */
const patienceMs = 30_000

/** Ends the control plane: asked first, then killed. Guests are not touched by either. */
export async function stopControlPlane(dir: string, running: Running, say: (line: string) => void): Promise<void> {
  try {
    if (await isRunning(running)) signalProcess(running.pid, 'SIGTERM')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error
    throw new Usage(`the control plane (pid ${running.pid}) runs as somebody else; stop it as its owner`)
  }
  if (!await ended(running, patienceMs)) {
    say(`the control plane (pid ${running.pid}) does not end by itself; it is killed (that is safe: what was under way is taken up at the next start)`)
    await kill(running)
  }
  await forgetRunning(dir)
}

/** What a second `up` is told. */
export async function alreadyRuns(dir: string): Promise<string> {
  const running = await findRunning(dir).catch(() => undefined)
  return `the cloud in ${dir} runs already${running ? ` (pid ${running.pid}, since ${running.startedAt}${running.url ? `, ${running.url}` : ''})` : ''}; stop it with ./pileus down, or name another --state-dir`
}
