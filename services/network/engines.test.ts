import { networkSuite } from './testing/suite.ts'

networkSuite('SQLite')
