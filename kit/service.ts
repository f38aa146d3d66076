// What a service's `service.ts` exports: its table of contents. Composition roots read nothing else of a service.
import type { ServiceHttp } from '#kit/http/service.ts'
import type { Migration } from '#kit/store/migrations.ts'
import type { AccessCase } from '#kit/testing/access.ts'

export interface ServiceModule<D> {
  http: ServiceHttp<D>
  migrations: Migration[]
  /** The expected verdict of each operation for each persona, loaded by tests only. */
  access(): Promise<AccessCase[]>
}
