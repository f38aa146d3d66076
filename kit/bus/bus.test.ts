import { openBus } from './bus.ts'
import { busSuite } from './suite.ts'

busSuite('local', async () => ({ open: (options) => openBus({ transport: 'local', ...options }), reaches: false }))
