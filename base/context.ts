// Who is calling, on whose behalf, and how the work is observed. Handed down, never looked up.

/** The verified caller of an operation. A service acting for a user keeps the user's identity beside its own. */
export interface Actor {
  /** Set when a Pileus service makes the call; such calls pass rules that ask for the service role. */
  service?: string
  userId: string
  userName?: string
  userDomainId?: string
  /** The project the token is scoped to. */
  projectId?: string
  projectName?: string
  projectDomainId?: string
  /** The domain the token is scoped to. */
  domainId?: string
  /** 'all' for a system-scoped token. */
  system?: 'all'
  /** Lower-case role names, implied ones included. */
  roles: readonly string[]
  /** Names the token the caller came with, without being one: `token:<audit id>` is the resource of its trace. */
  auditId?: string
  /** How the caller came by his rights when they are lent to him. */
  delegation?: Delegation
  /** The only requests that are allowed; checked and taken away before an operation sees the actor. */
  accessRules?: readonly AccessRule[]
  /** The thumbprint of the TLS certificate that has to be shown beside the token; checked and taken away before an operation sees the actor. */
  boundTo?: string
}

/** Rights lent by an application credential, a trust or an OAuth1 access token: good for their project, and not for managing other credentials. */
export interface Delegation { applicationCredentialId?: string, unrestricted?: boolean, trustId?: string, accessTokenId?: string }

/** A request that an application credential may make: the path in keystone's notation, with `*`, `**` and `{name}`. */
export interface AccessRule { service: string, method: string, path: string }

export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** What a span may carry. `admin` attributes are shown to administrators only (hosts, counts). */
export interface SpanAttributes { [name: string]: string | number | boolean | undefined }
export interface SpanOptions { tenant?: SpanAttributes, admin?: SpanAttributes }

/** Handed to everything that does work: a handler, a saga step, an agent's command, a driver. */
export interface Context {
  readonly actor: Actor
  readonly requestId: string
  /** One trace spans a request and all the work it set off. */
  readonly traceId: string
  /** The resource whose trace this work belongs to, once known (a server's id). */
  readonly resourceId?: string
  readonly log: Log
  /** Epoch milliseconds after which nobody waits for the answer any more. */
  readonly deadlineAt?: number
  /** Runs `work` as a named, timed part of the trace. The name is one of the boot flow's steps or `area.verb`. */
  span<T>(name: string, work: () => Promise<T>, options?: SpanOptions): Promise<T>
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** A context without observers, for tests and tools. */
export const plainContext = (over: Partial<Context> = {}): Context => ({
  actor: { userId: 'nobody', roles: [] }, requestId: 'req-none', traceId: 'none', log: silentLog,
  span: (_name, work) => work(), ...over,
})
