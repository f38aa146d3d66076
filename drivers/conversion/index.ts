// The converters by name. Each is loaded only when asked for.
import type { Converter } from './contract.ts'
import type { QemuImgConfig } from './qemu-img/converter.ts'

export const converters = {
  'qemu-img': async (config: QemuImgConfig): Promise<Converter> => (await import('./qemu-img/converter.ts')).openQemuImg(config),
  fake: async (): Promise<Converter> => (await import('./fake/converter.ts')).fakeConverter(),
}
