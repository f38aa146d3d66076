// A RabbitMQ broker of our own from Debian's package: private ports, directories, cookie, epmd and password.
import { chmodSync, chownSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newSecret } from '#base/ids.ts'
import { waitFor } from '#base/retry.ts'
import { connects, freePort, isRoot, makeDirectory, run, start, tail, type RunAs, type Running } from './process.ts'

export interface RabbitmqServer {
  /** amqp://USER:PASSWORD@127.0.0.1:PORT */
  readonly url: string
  /** Orderly, or as a loss of power would have it. */
  restart(options?: { hard?: boolean }): Promise<void>
  /** Stops the broker and leaves it down until `resume`. */
  halt(options?: { hard?: boolean }): Promise<void>
  resume(): Promise<void>
  ctl(...args: string[]): Promise<string>
  stop(): Promise<void>
}

const root = '/usr/lib/rabbitmq/lib'

/** Starts a broker whose data lies in `dir`, and waits until it takes connections. */
export async function startRabbitmq(dir: string): Promise<RabbitmqServer> {
  const sbin = join(root, readdirSync(root).find((name) => name.startsWith('rabbitmq_server-'))!, 'sbin')
  await makeDirectory(dir, 'rabbitmq')
  const [port, distPort, epmdPort] = [await freePort(), await freePort(), await freePort()]
  const password = newSecret(18)
  const own = (name: string, content: string): string => {
    const file = join(dir, name)
    writeFileSync(file, content)
    const { uid, gid } = statSync(dir)
    if (isRoot) chownSync(file, uid, gid)
    chmodSync(file, 0o600)
    return file
  }
  own('.erlang.cookie', newSecret(18))
  const pidFile = join(dir, 'pid'), logFile = join(dir, 'out.log')
  const as: RunAs = {
    user: 'rabbitmq', env: {
      HOME: dir, RABBITMQ_NODENAME: `t${port}@localhost`, RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1', RABBITMQ_NODE_PORT: String(port), RABBITMQ_DIST_PORT: String(distPort),
      RABBITMQ_BASE: dir, RABBITMQ_MNESIA_BASE: join(dir, 'data'), RABBITMQ_LOG_BASE: join(dir, 'log'), RABBITMQ_PID_FILE: pidFile,
      RABBITMQ_ENABLED_PLUGINS_FILE: own('plugins', '[].\n'), RABBITMQ_CONF_ENV_FILE: join(dir, 'none'),
      RABBITMQ_CONFIG_FILE: own('rabbitmq.conf', `default_user = pileus\ndefault_pass = ${password}\nloopback_users = none\nlog.console.level = warning\n`),
      ERL_EPMD_PORT: String(epmdPort), ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}',
    },
  }
  // The Erlang port mapper would otherwise put itself into the background and outlive everybody; a broker that does not find it starts another.
  const epmd = start(as, 'epmd', ['-port', String(epmdPort), '-address', '127.0.0.1'], logFile)
  await waitFor('epmd', () => connects(epmdPort), 10_000, 10)
  const ctl = (...args: string[]): Promise<string> => run(as, join(sbin, 'rabbitmqctl'), args)
  let broker: Running | undefined

  async function resume(): Promise<void> {
    rmSync(pidFile, { force: true })
    broker = start(as, join(sbin, 'rabbitmq-server'), [], logFile)
    await Promise.race([
      // Waits for the node as well; `await_startup` alone fails while it is not yet known.
      ctl('wait', pidFile, '--timeout', '60'),
      broker.exited.then(() => { throw new Error(`RabbitMQ did not start: ${tail(logFile)}`) }),
    ])
  }
  async function halt({ hard = false } = {}): Promise<void> {
    if (!broker?.alive) return
    if (hard) process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL')
    else broker.kill('SIGTERM')
    await broker.exited
  }
  try {
    await resume()
  } catch (error) {
    broker?.kill('SIGTERM')
    epmd.kill('SIGTERM')
    throw error
  }
  return {
    url: `amqp://pileus:${password}@127.0.0.1:${port}`, ctl, halt, resume,
    async restart(options) { await halt(options); await resume() },
    async stop() {
      await halt()
      epmd.kill('SIGTERM')
      await epmd.exited
    },
  }
}
