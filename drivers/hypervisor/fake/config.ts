// What can be told to the fake hypervisor: the host it pretends to be, how slow it is, what goes wrong.

export type FakeOperation = 'inspectHost' | 'list' | 'ownerUid' | 'ensure' | 'remove' | 'power' | 'consoleLog' | 'plug' | 'unplug'

export interface FakeFailure {
  operation: FakeOperation
  /** Only for this instance. */
  id?: string
  /** Only the n-th call that matches (1 is the first); absent: every one. */
  nth?: number
  /** Public message of the fault. */
  message?: string
  /** True: the work is done and only the answer is lost, as when a host dies at the wrong moment. */
  afterwards?: boolean
}

export interface FakeConfig {
  /** Instances outlive the process in this directory; absent: they live in memory and die with it. */
  stateDir?: string
  vcpus?: number
  memoryMib?: number
  diskGib?: number
  /** How long each operation takes; a pair is a range to draw from. */
  delaysMs?: Partial<Record<FakeOperation, number | readonly [number, number]>>
  failures?: FakeFailure[]
  traits?: string[]
}
