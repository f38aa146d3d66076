// Whether an image's first bytes are what the image is declared to be.
import { isLookedInto } from '#base/containers.ts'
import { refuseContainer } from './containers.ts'
import { inspect, refuse } from './inspect.ts'

/** The size of the disk inside: as the bytes told, else (a raw disk) all of them; unknown in a container that is not looked into. */
export const diskSize = (containerFormat: string, told: number | null, size: number): number | null => told ?? (isLookedInto(containerFormat) ? size : null)

/** Answers the size of the disk inside where the bytes tell; throws unsupportedMediaType (as glance answers) when they are not what was declared, or must not be used. */
export function examine({ diskFormat, containerFormat }: { diskFormat: string, containerFormat: string }, firstBytes: Buffer): number | null {
  refuseContainer(containerFormat, firstBytes)
  if (!isLookedInto(containerFormat)) return null
  const seen = inspect(firstBytes)
  refuse(diskFormat, seen)
  return seen.virtualSize ?? null
}
