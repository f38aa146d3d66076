// What this host has to offer.
import { readFile, statfs } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { GIB, MIB } from '#base/units.ts'
import { ensureDirectory } from '#host/files.ts'
import { exec } from '#host/exec.ts'
import type { HostFacts } from '../contract.ts'
import type { Settings } from './config.ts'

/** Placement's names (os-traits) for what this driver can do on any host. */
const always = [
  'COMPUTE_NET_ATTACH_INTERFACE', 'COMPUTE_NET_VIF_MODEL_VIRTIO', 'COMPUTE_STORAGE_BUS_VIRTIO', 'COMPUTE_GRAPHICS_MODEL_VGA',
  'COMPUTE_IMAGE_TYPE_RAW', 'COMPUTE_IMAGE_TYPE_QCOW2',
]

export async function inspectHost(settings: Settings): Promise<HostFacts> {
  await ensureDirectory(settings.stateDir)
  const [{ stdout }, disk, info] = await Promise.all([exec(settings.binary, ['--version']), statfs(settings.stateDir), readFile('/proc/cpuinfo', 'utf8').catch(() => '')])
  const [, major = '0', minor = '0', micro = '0'] = /version (\d+)\.(\d+)\.(\d+)/.exec(stdout) ?? []
  const field = (name: string): string => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(info)?.[1]?.trim() ?? ''
  const vcpus = cpus().length, kvm = settings.accel === 'kvm'
  return {
    // What nova's own driver says of both KVM and emulation.
    hypervisorType: 'QEMU', hypervisorVersion: Number(major) * 1_000_000 + Number(minor) * 1000 + Number(micro),
    vcpus, memoryMib: Math.floor(totalmem() / MIB), diskGib: Math.floor(disk.blocks * disk.bsize / GIB),
    cpuInfo: {
      arch: 'x86_64', model: kvm ? field('model name') || settings.cpuModel : settings.cpuModel, vendor: field('vendor_id'),
      features: kvm ? field('flags').split(' ').filter(flag => flag !== '') : [], topology: { sockets: 1, cores: vcpus, threads: 1 },
    },
    traits: always,
  }
}
