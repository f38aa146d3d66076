// A guest of 99 bytes for tests: a boot sector that greets on the first serial port and obeys single letters sent to it. It is no operating system:
// it hears no power button and lets go of no card.
//   m greets again · f writes x for ever, as fast as it can · q switches the machine off (ACPI's soft off, at the port where SeaBIOS puts it)

export const greeting = 'Pileus test guest'

/**
 *   start: cli; ds, ss = 0; sp = 7c00
 *   greet: for each byte of the text: wait until port 3fd bit 5, write it to 3f8
 *   listen: sti; hlt (the timer wakes it); if port 3fd bit 0: read 3f8 and obey; again
 */
const code = 'fa31c08ed88ed0bc007cbe4f7cac84c0741288c4bafd03eca82074fb88e0baf803eeebe9bafd03fbf4eca80174f6baf803ec3c6674113c6d74d03c7175e6ba0406b80020efebddbaf803b078eeeb'
  + 'f8'

/** A raw disk image that boots it. */
export function bootSector(): Buffer {
  const sector = Buffer.alloc(1024 * 1024)
  sector.write(code, 'hex')
  sector.write(`${greeting}\r\n\0`, 0x4f, 'latin1')
  sector.writeUInt16LE(0xaa55, 510)
  return sector
}
