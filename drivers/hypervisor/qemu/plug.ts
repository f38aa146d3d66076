// Network cards put into and taken out of a running guest. The spec is changed first: then a crash in between is repaired by asking again.
import { conflict, notFound } from '#base/errors.ts'
import { QmpFault } from '#host/qmp.ts'
import type { Nic } from '../contract.ts'
import { attached } from './attach.ts'
import { cardId, cardOf, netdevOf } from './command-line.ts'
import { layout } from './machine.ts'
import type { Live, Machine } from './machine.ts'
import { readSpec, readState, writeSpec, writeState } from './records.ts'
import type { Card } from './records.ts'

/** A guest lets go of a card when its system has started and listens; one that does not is not waited for longer. */
const releaseTimeoutMs = 20_000

async function changeable(m: Machine, id: string): Promise<Live | undefined> {
  if (!await readSpec(layout(m, id))) throw notFound(`Instance ${id} could not be found.`)
  const live = await attached(m, id)
  if (!live && (await readState(layout(m, id))).power === 'suspended') throw conflict(`Instance ${id} is suspended`)
  return live
}

async function changeSpec(m: Machine, id: string, change: (nics: Nic[]) => Nic[]): Promise<void> {
  const at = layout(m, id), spec = await readSpec(at)
  if (spec) await writeSpec(at, { ...spec, nics: change(spec.nics) })
}

async function remember(m: Machine, live: Live, cards: Card[]): Promise<void> {
  const at = layout(m, live.id), state = await readState(at)
  live.shape.cards = cards
  await writeState(at, { ...state, shape: live.shape })
}

const unlessThere = (error: unknown): void => { if (!(error instanceof QmpFault) || !/[Dd]uplicate|already exists|attempt to create/i.test(error.description)) throw error }
const unlessGone = (error: unknown): void => { if (!(error instanceof QmpFault) || (error.errorClass !== 'DeviceNotFound' && !/not found/i.test(error.description))) throw error }

export async function plugNic(m: Machine, id: string, nic: Nic): Promise<void> {
  const live = await changeable(m, id)
  const { cards, ports } = live?.shape ?? { cards: [], ports: 0 }
  if (cards.some(card => card.portId === nic.portId)) return
  if (live && cards.length > 0 && cards.some(card => card.device.netns !== nic.device.netns)) throw conflict('The network cards of an instance must lie in one network namespace')
  if (live && cards.length === 0 && nic.device.netns !== undefined) throw conflict('An instance that was started without network cards gets one with its next start only')
  const port = [...Array(ports).keys()].find(n => !cards.some(card => card.port === n))
  if (live && port === undefined) throw conflict('The instance has no room for another network card')
  await changeSpec(m, id, nics => [...nics.filter(n => n.portId !== nic.portId), nic])
  if (!live) return
  const card: Card = { ...nic, port: port as number }
  try {
    await live.qmp.execute('netdev_add', netdevOf(card)).catch(unlessThere)
    await live.qmp.execute('device_add', cardOf(card)).catch(unlessThere)
  } catch (error) {
    await live.qmp.execute('netdev_del', { id: cardId(nic.portId) }).catch(() => {})
    await changeSpec(m, id, nics => nics.filter(n => n.portId !== nic.portId))
    throw error
  }
  await remember(m, live, [...cards, card])
}

export async function unplugNic(m: Machine, id: string, portId: string): Promise<void> {
  const live = await changeable(m, id)
  const device = cardId(portId)
  if (live?.shape.cards.some(card => card.portId === portId)) {
    const released = live.qmp.event('device_del', ({ event, data }) => event === 'DEVICE_DELETED' && data.device === device, releaseTimeoutMs, live.hurry.signal).then(() => true, () => false)
    const asked = await live.qmp.execute('device_del', { id: device }).then(() => true, error => { unlessGone(error); return false })
    if (asked && !await released) throw conflict('The guest does not let go of the network card')
    await live.qmp.execute('netdev_del', { id: device }).catch(unlessGone)
    await remember(m, live, live.shape.cards.filter(card => card.portId !== portId))
  }
  await changeSpec(m, id, nics => nics.filter(n => n.portId !== portId))
}
