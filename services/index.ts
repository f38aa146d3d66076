// The one list of services.
import type { ServiceModule } from '#kit/service.ts'
import { compute } from './compute/service.ts'
import { identity } from './identity/service.ts'
import { image } from './image/service.ts'
import { network } from './network/service.ts'
import { placement } from './placement/service.ts'

export const services: ServiceModule<any>[] = [identity, image, placement, network, compute]
