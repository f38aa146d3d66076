// The 28 steps of a server's birth, and the span that each is known by. The code that does the work opens the span;
// a step that is no work of its own here says which one it is part of.

export interface BootStep { number: number, title: string, span: string, mergedInto?: number }

const steps: [title: string, span: string, mergedInto?: number][] = [
  ['CLI or dashboard sends credentials to identity', 'identity.request'],
  ['identity authenticates and issues a token', 'identity.issue-token'],
  ['the client sends the create request to the compute API', 'compute.request'],
  ['compute API has the token validated', 'compute.validate-token'],
  ['roles come back, access is decided', 'compute.decide-access'],
  ['compute API talks to its database', 'compute.read-database'],
  ['the server\'s first row is written, with the saga\'s journal', 'compute.write-server'],
  ['call to the scheduler over the bus', 'conductor.call-scheduler'],
  ['the scheduler takes it', 'scheduler.take'],
  ['it reads the candidates, filters and weighs', 'scheduler.choose'],
  ['it answers with the host, allocations claimed', 'scheduler.claim'],
  ['cast to the compute agent of that host', 'conductor.cast-to-agent'],
  ['the agent takes it', 'agent.take'],
  ['it asks the conductor for the instance\'s information', 'agent.ask-conductor'],
  ['the conductor takes that', 'conductor.take'],
  ['reads the database', 'conductor.read-database'],
  ['answers', 'conductor.take', 15],
  ['the agent has it', 'agent.ask-conductor', 14],
  ['the agent asks image for the image', 'agent.ask-image'],
  ['image checks the caller', 'image.check-caller'],
  ['the agent has the image (cache or transfer)', 'agent.have-image'],
  ['the agent asks network for its ports', 'agent.ask-network'],
  ['network checks the caller', 'network.check-caller'],
  ['the agent has the network information, the ports are wired', 'agent.wire-ports'],
  ['the agent asks block storage for the volumes', 'agent.ask-volumes'],
  ['it checks the caller', 'agent.ask-volumes', 25],
  ['the agent has the connection information', 'agent.ask-volumes', 25],
  ['the agent builds the guest\'s definition and the hypervisor starts it', 'agent.start-guest'],
]

export const bootSteps: BootStep[] = steps.map(([title, span, mergedInto], i) => ({ number: i + 1, title, span, ...(mergedInto && { mergedInto }) }))
