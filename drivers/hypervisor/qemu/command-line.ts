// QEMU's arguments for a machine: a pure function, so that it can be read and tested. Files and listening sockets are named by the descriptors they are inherited as.
import type { Settings } from './config.ts'
import type { Card, Shape } from './records.ts'

/** Descriptor numbers in the child. */
export interface Inherited { qmp: number, serial: number, log: number, disk: number, diskReadOnly: number, base: number, configDrive?: number }

/** Where a resumed guest's memory is inherited; named by migrate-incoming. */
export const memoryFd = 10

const machine = { kvm: ['-accel', 'kvm'], tcg: ['-accel', 'tcg,tb-size=64'] } as const

/** In QEMU's key=value lists a comma is written twice. */
const value = (text: string): string => text.replaceAll(',', ',,')

const list = (driver: string, options: Record<string, string | number | boolean | undefined>): string =>
  [driver, ...Object.entries(options).filter(([, v]) => v !== undefined).map(([k, v]) => `${k}=${v === true ? 'on' : v === false ? 'off' : value(String(v))}`)].filter(part => part !== '').join(',')

export const cardId = (portId: string): string => `nic-${portId}`
export const portName = (port: number): string => `rp${port}`

/** netdev_add's and -netdev's options; the tap exists, and its owner is the uid QEMU runs as. */
export const netdevOf = (card: Card): Record<string, string | boolean> =>
  ({ type: 'tap', id: cardId(card.portId), ifname: card.device.tap, script: 'no', downscript: 'no', vhost: false })

/** device_add's and -device's options. No boot ROM: nothing boots from the network, and it costs the guest's start time. */
export const cardOf = (card: Card): Record<string, string | number> =>
  ({ driver: 'virtio-net-pci', id: cardId(card.portId), netdev: cardId(card.portId), mac: card.mac, bus: portName(card.port), host_mtu: card.mtu, romfile: '' })

export interface CommandLine { shape: Shape, id: string, settings: Settings, fds: Inherited, base: { format: 'raw' | 'qcow2' }, incoming: boolean }

/** The arguments, program excluded. Nothing of it names a path that a guest could have changed. */
export function commandLine({ shape, id, settings, fds, base, incoming }: CommandLine): string[] {
  const args: string[] = ['-name', `guest=${value(`${settings.cloudId}-${shape.name}`)},process=pileus-${settings.cloudId}`, '-uuid', id]
  const add = (option: string, text: string): void => { args.push(option, text) }
  const device = (driver: string, options: Record<string, string | number | boolean | undefined> = {}): void => add('-device', list(driver, options))
  const sets: string[] = []
  const fdset = (...members: number[]): string => {
    const set = sets.push(String(members)) // 1, 2 …
    for (const fd of members) add('-add-fd', `fd=${fd},set=${set}`)
    return `/dev/fdset/${set}`
  }

  add('-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny')
  args.push('-nodefaults', '-no-user-config', '-display', 'none')
  add('-machine', 'q35,usb=off,vmport=off,dump-guest-core=off,hpet=off')
  args.push(...machine[settings.accel])
  add('-cpu', settings.cpuModel)
  add('-smp', `${shape.vcpus},sockets=${shape.vcpus},cores=1,threads=1`)
  add('-m', `size=${shape.memoryMib}M`)
  add('-rtc', 'base=utc')
  add('-boot', 'strict=on,menu=off')
  add('-smbios', list('', { type: 1, manufacturer: shape.smbios.manufacturer, product: shape.smbios.product, version: shape.smbios.version,
    serial: shape.smbios.serial, uuid: shape.smbios.uuid, family: shape.smbios.family }))
  // A guest that switches itself off leaves the process paused: so "shut down" and "died" stay distinct even while nobody watches.
  add('-action', 'shutdown=pause,reboot=reset,panic=pause')
  if (incoming) args.push('-incoming', 'defer', '-S')

  add('-chardev', `socket,id=monitor,fd=${fds.qmp},server=on,wait=off`)
  add('-mon', 'chardev=monitor,mode=control')
  add('-chardev', `socket,id=serial0,fd=${fds.serial},server=on,wait=off,logfile=${fdset(fds.log)},logappend=on`)
  device('isa-serial', { chardev: 'serial0' })
  add('-vnc', 'unix:vnc.sock,share=force-shared') // in its working directory; moved to where it cannot be exchanged
  add('-vga', 'std')

  for (let port = 0; port < shape.ports; port++) device('pcie-root-port', { id: portName(port), chassis: port + 1, slot: port + 1 })
  device('virtio-balloon-pci', { id: 'balloon0' })
  add('-object', 'rng-builtin,id=rng0')
  device('virtio-rng-pci', { rng: 'rng0' })

  add('-blockdev', list('', { driver: 'file', 'node-name': 'base0-file', filename: fdset(fds.base), 'read-only': true }))
  add('-blockdev', list('', { driver: base.format, 'node-name': 'base0', file: 'base0-file', 'read-only': true, ...(base.format === 'qcow2' && { backing: '' }) }))
  add('-blockdev', list('', { driver: 'file', 'node-name': 'disk0-file', filename: fdset(fds.disk, fds.diskReadOnly), discard: 'unmap' }))
  add('-blockdev', list('', { driver: 'qcow2', 'node-name': 'disk0', file: 'disk0-file', backing: 'base0', discard: 'unmap' }))
  // werror=enospc stops the guest when the host's disk is full instead of telling it its disk is broken.
  device('virtio-blk-pci', { id: 'disk0-card', drive: 'disk0', bootindex: 0, werror: 'enospc' })
  if (fds.configDrive !== undefined) {
    add('-blockdev', list('', { driver: 'file', 'node-name': 'config0-file', filename: fdset(fds.configDrive), 'read-only': true }))
    add('-blockdev', list('', { driver: 'raw', 'node-name': 'config0', file: 'config0-file', 'read-only': true }))
    device('virtio-scsi-pci', { id: 'scsi0' })
    device('scsi-cd', { bus: 'scsi0.0', drive: 'config0' })
  }
  for (const card of shape.cards) {
    const { type, ...netdev } = netdevOf(card), { driver, ...options } = cardOf(card)
    add('-netdev', list(String(type), netdev))
    device(String(driver), options)
  }
  return args
}
