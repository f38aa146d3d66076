import { serversSuite } from '../testing/servers-suite.ts'
import { startCompute } from '../testing/start.ts'

serversSuite(() => startCompute())
