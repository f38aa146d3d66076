// `up`: makes sure that everything is there, then runs the cloud here or in the background.
import { resolve as absolutePath } from 'node:path'
import { alreadyRuns } from '../control.ts'
import { detach, receiveErrand } from '../detach.ts'
import { guestImage } from '../guest-image.ts'
import { cloudNeeds, ensurePackages, imageNeeds } from '../packages.ts'
import type { Ready, Served } from '../serve.ts'
import { readSettings, upHelp, upOptions, type Settings, type UpValues } from '../settings.ts'
import { checkStateDir, findRunning, makeDir, outputFileOf } from '../state-dir.ts'
import { options, Usage } from '../usage.ts'

const say = (line: string): void => { process.stderr.write(`pileus: ${line}\n`) }

export async function run(args: string[]): Promise<number> {
  const values = options(args, upOptions, upHelp)
  if (!values) return 0
  if (values.tell !== undefined) return runInBackground()
  const settings = await readSettings(values)
  if (await findRunning(settings.stateDir)) throw new Usage(await alreadyRuns(settings.stateDir))
  await checkStateDir(settings.stateDir, settings.driver)
  const seedImage = await prepare(settings, !values['no-install'])
  const ready = (it: Ready): void => { process.stdout.write(values.json ? `${JSON.stringify(it, undefined, 2)}\n` : greeting(it, !values.detach)) }
  if (!values.detach) {
    const { serve } = await import('../serve.ts')
    const served = await serve(settings, seedImage, say)
    ready(served.ready)
    return untilStopped(served)
  }
  await makeDir(settings.stateDir)
  ready(await detach({ values: absolute(values, settings), ...(seedImage !== undefined && { seedImage }) }, outputFileOf(settings.stateDir), say))
  return 0
}

/** What must be on the machine. Answers the guest image's path; nothing at all is needed for pretended guests. */
async function prepare(settings: Settings, install: boolean): Promise<string | undefined> {
  if (settings.driver === 'fake') return undefined
  if (process.platform !== 'linux') throw new Usage('real guests need Linux; with --driver fake Pileus runs anywhere')
  if (process.getuid?.() !== 0) throw new Usage('real guests and networks need root: sudo ./pileus up; or try --driver fake, which needs nothing')
  await ensurePackages([...cloudNeeds, ...imageNeeds], { install, say })
  return guestImage(settings.stateDir, { install, say })
}

/** The child runs elsewhere: paths are made absolute here. */
const absolute = (values: UpValues, settings: Settings): UpValues => ({
  ...values, 'state-dir': settings.stateDir, ...(values['tls-cert'] !== undefined && { 'tls-cert': absolutePath(values['tls-cert']) }), ...(values['tls-key'] !== undefined && { 'tls-key': absolutePath(values['tls-key']) }),
})

async function runInBackground(): Promise<number> {
  const { errand, tell, done } = await receiveErrand()
  try {
    const { serve } = await import('../serve.ts')
    const served = await serve(await readSettings(errand.values), errand.seedImage, (line) => tell({ say: line }))
    tell({ ready: served.ready })
    done()
    return await untilStopped(served)
  } catch (error) {
    if (!(error instanceof Usage)) throw error
    tell({ failed: error.message })
    return error.code
  }
}

/** Ends in order on SIGINT and SIGTERM; on the second signal at once. */
function untilStopped({ stop, cloud }: Served): Promise<number> {
  return new Promise((resolve, reject) => {
    let asked = false
    const end = (signal: NodeJS.Signals): void => {
      if (asked) process.exit(1)
      asked = true
      cloud.log.info({ signal }, 'stopping')
      stop().then(() => resolve(0), reject)
    }
    process.on('SIGINT', end)
    process.on('SIGTERM', end)
    // The terminal that started it may go away.
    process.on('SIGHUP', () => cloud.log.info({}, 'the terminal went away; going on'))
  })
}

const greeting = (it: Ready, foreground: boolean): string => `
Pileus is up: ${it.endpoint}   (${it.driver}, in ${(it.started_in_ms / 1000).toFixed(1)} s)

  clouds.yaml   ${it.clouds_yaml}   (clouds: pileus, pileus-admin)
  openrc        ${it.openrc}
  log           ${it.log}
  operator      ${it.operator_url}/status and /metrics

Try:
  export OS_CLIENT_CONFIG_FILE=${it.clouds_yaml} OS_CLOUD=pileus
  openstack server create --image pileus-guest --flavor m1.tiny --network private --wait first
  openstack console log show first
${foreground ? '\nCtrl-C stops the control plane; guests go on, and the next up adopts them.\n' : ''}`
