// The command line: finds the command's module and runs it. One module a command, loaded when asked for.
import { Usage } from './usage.ts'

const commands: Record<string, { summary: string, load: () => Promise<{ run(args: string[]): Promise<number> }> }> = {
  up: { summary: 'start the cloud (and install what it needs)', load: () => import('./commands/up.ts') },
  down: { summary: 'stop the control plane; guests go on running', load: () => import('./commands/down.ts') },
  status: { summary: 'what runs, and what is stuck', load: () => import('./commands/status.ts') },
  repair: { summary: 'let what is stuck go on, after its cause was mended', load: () => import('./commands/repair.ts') },
  keys: { summary: 'rotate the keys of tokens and credentials', load: () => import('./commands/keys.ts') },
  logs: { summary: 'the control plane\'s log', load: () => import('./commands/logs.ts') },
  destroy: { summary: 'remove the cloud and everything it made on this host', load: () => import('./commands/destroy.ts') },
  demo: { summary: 'boot a server, log in to it, show each step, delete it all', load: () => import('./commands/demo.ts') },
  test: { summary: 'install what the tests need and run all of them', load: () => import('./commands/test.ts') },
}

const help = `Pileus: the OpenStack cloud in one program.

Usage: ./pileus COMMAND [OPTIONS]

${Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(9)} ${summary}`).join('\n')}
  node      run a script under Pileus's Node (for package scripts)

Every command takes --help. Examples:
  ./pileus up                          a real cloud on this machine, as root
  ./pileus up --driver fake --json     an OpenStack endpoint for tests, without root
  ./pileus down && ./pileus up         the guests are adopted again
`

const [name, ...args] = process.argv.slice(2)
if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
  process.stdout.write(help)
} else if (!Object.hasOwn(commands, name)) {
  process.stderr.write(`pileus: there is no command "${name}"\n\n${help}`)
  process.exitCode = 2
} else {
  try {
    const { run } = await commands[name]!.load()
    process.exitCode = await run(args)
  } catch (error) {
    if (error instanceof Usage) {
      process.stderr.write(`pileus: ${error.message}\n`)
      process.exitCode = error.code
    } else {
      throw error
    }
  }
}
