import { nounsSuite } from './testing/nouns-suite.ts'
import { startCompute } from './testing/start.ts'

nounsSuite(() => startCompute())
