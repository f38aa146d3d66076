// Quantities carry their unit in their name: sizeGib, memoryMib, timeoutMs.

export const KIB = 1024
export const MIB = 1024 ** 2
export const GIB = 1024 ** 3

/** "21.4 MB" for people; decimal units, as disks are sold. */
export const humanBytes = (bytes: number): string => {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let i = 0
  while (bytes >= 1000 && i < units.length - 1) { bytes /= 1000; i++ }
  return `${i === 0 ? bytes : bytes.toFixed(1)} ${units[i]}`
}
