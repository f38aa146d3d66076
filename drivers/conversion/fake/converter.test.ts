import { conversionSuite } from '../suite.ts'
import { fakeConverter } from './converter.ts'

conversionSuite('fake', async () => ({ converter: fakeConverter(), broken: { bytes: Buffer.from('unconvertible'), from: 'qcow2' }, leftovers: async () => [], close: async () => {} }))
