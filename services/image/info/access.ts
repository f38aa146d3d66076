import { verdicts, type AccessCase } from '#kit/testing/access.ts'

export const access: AccessCase[] = [
  { operation: 'showImportInfo', expect: verdicts.listing() },
  { operation: 'listStores', expect: verdicts.listing() },
  { operation: 'listStoreDetails', expect: verdicts.admin() },
]
