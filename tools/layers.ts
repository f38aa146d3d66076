// Who may import whom. The tables are the architecture; the functions below only read them.
import { readImports, type Import } from './imports.ts'

/** Tests, and what is made for them, stand beside what they test and may use anything. */
const tests = /(\.test|\.testing|\/testing)\.ts$|^services\/[^/]+\/testing\/|^test\/|^tools\//

export interface Layer {
  name: string
  files: RegExp
  /** What it may import besides its own unit (see unitOf). `$1` stands for what `files` caught. */
  may: string[]
  /** What it may name in types only. */
  mayType?: string[]
}

/** The first row that fits counts. A file that fits none fails the test: a new folder is placed here first. */
export const layers: Layer[] = [
  { name: 'test', files: tests, may: ['.'] },
  { name: 'base', files: /^base\//, may: [] },
  { name: 'kit/testing', files: /^kit\/testing\//, may: ['^base/', '^kit/'] },
  { name: 'kit', files: /^kit\//, may: ['^base/', '^kit/(?!testing/)'], mayType: ['^kit/testing/access\\.ts$'] },
  { name: 'host', files: /^host\//, may: ['^base/'] },
  { name: 'driver contract', files: /^drivers\/([^/]+)\/contract\.ts$/, may: [], mayType: ['^base/'] },
  { name: 'driver suite', files: /^drivers\/([^/]+)\/suite\.ts$/, may: ['^base/', '^drivers/$1/[^/]+\\.testing\\.ts$'], mayType: ['^drivers/$1/contract\\.ts$'] },
  { name: 'driver list', files: /^drivers\/([^/]+)\/index\.ts$/, may: ['^drivers/$1/[^/]+/'], mayType: ['^drivers/$1/contract\\.ts$'] },
  { name: 'shared by a kind of drivers', files: /^drivers\/([^/]+)\/[^/]+\.ts$/, may: ['^base/', '^host/'], mayType: ['^drivers/$1/contract\\.ts$'] },
  { name: 'driver', files: /^drivers\/([^/]+)\/[^/]+\//, may: ['^base/', '^host/', '^drivers/$1/(?!index|suite)[^/]+\\.ts$'] },
  { name: 'list of services', files: /^services\/index\.ts$/, may: ['^services/[^/]+/service\\.ts$'], mayType: ['^kit/service\\.ts$'] },
  { name: 'expected access', files: /^services\/([^/]+)\/(.+\/)?access\.ts$/, may: ['^base/', '^kit/testing/access\\.ts$', '^services/$1/testing/'], mayType: ['^kit/'] },
  { name: 'service', files: /^services\/([^/]+)\//, may: ['^base/', '^kit/(?!testing/)'], mayType: ['^drivers/[^/]+/contract\\.ts$', '^services/[^/]+/(service|bus)\\.ts$', '^kit/testing/access\\.ts$', '^clients/'] },
  { name: 'agent', files: /^agents\/([^/]+)\//, may: ['^base/', '^kit/(?!testing/)', '^services/[^/]+/bus\\.ts$'], mayType: ['^drivers/[^/]+/contract\\.ts$', '^clients/'] },
  { name: 'client', files: /^clients\//, may: ['^base/'], mayType: ['^services/[^/]+/service\\.ts$', '^kit/'] },
  { name: 'composition root', files: /^bin\//, may: ['^(base|kit|host|drivers|services|agents|clients)/(?!testing/)', '^tools/[^/]+\\.ts$', '^package\\.json$'] },
]

export interface Door { packages: RegExp, only: RegExp, why: string }

/** One package, one door: which files may see a library or a part of Node. Every package in package.json has a row. */
export const doors: Door[] = [
  { packages: /^kysely$/, only: /(^|[/-])store\.ts$|\/schema\.ts$|\/migrations\/|^kit\/store\//, why: 'SQL is written in stores only' },
  { packages: /^(node:sqlite|pg|mysql2)$/, only: /^kit\/store\//, why: 'no other file knows the database engine' },
  { packages: /^rabbitmq-client$/, only: /^kit\/bus\//, why: 'no other file knows the broker' },
  { packages: /^(find-my-way|typebox)$/, only: /^kit\/http\//, why: 'operations and schemas are made through kit/http' },
  { packages: /^node:child_process$/, only: /^(host|bin|test|tools)\//, why: 'only host/ starts processes (and those who run the whole program)' },
  { packages: /^@node-rs\/argon2$/, only: /^services\/identity\/passwords\//, why: 'hashing has its own bounded queue' },
  { packages: /^ipaddr\.js$/, only: /^services\/network\/|^drivers\/network\/|^kit\//, why: 'addresses are the network\'s' },
  { packages: /^pino$/, only: /^bin\/log\.ts$/, why: 'everybody else is handed a Log' },
  { packages: /^prom-client$/, only: /^bin\/metrics\.ts$/, why: 'everybody else is looked at' },
  { packages: /^yaml$/, only: /^bin\/|^services\/compute\/metadata\//, why: 'clouds.yaml and guests\' user data' },
  { packages: /^(openid-client|jose|@node-saml\/node-saml)$/, only: /^services\/identity\/federation\//, why: 'other people\'s word on who somebody is is identity\'s to judge' },
  { packages: /^ldapts$/, only: /^services\/identity\/ldap\//, why: 'a directory is one of identity\'s backends' },
  { packages: /^oidc-provider$/, only: /(?!)/, why: 'for tests of federation' },
  { packages: /^(ajv|@seriousme\/openapi-schema-validator)$/, only: /(?!)/, why: 'for the test of the OpenAPI documents' },
  { packages: /^typescript$/, only: /^tools\//, why: 'the program runs without its compiler' },
]

/** What may always import its own kind: a service, an agent, a driver, or a top folder. */
const unitOf = (file: string): string => /^(services|agents)\/[^/]+\/|^drivers\/[^/]+\/[^/]+\/|^[^/]+\//.exec(file)?.[0] ?? file

const packageOf = (specifier: string): string => specifier.startsWith('node:') ? specifier : specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')

/** What breaks the tables, a sentence each. */
export function violations(imports: Map<string, Import[]>): string[] {
  return [...imports].flatMap(([file, list]) => list.flatMap((there) => {
    const wrong = there.file === undefined ? wrongDoor(file, there.specifier) : wrongLayer(file, there.file, there.typeOnly)
    return wrong === undefined ? [] : [`${file}: ${wrong}`]
  }))
}

function wrongDoor(file: string, specifier: string): string | undefined {
  const door = doors.find((d) => d.packages.test(packageOf(specifier)))
  if (door) return door.only.test(file) || tests.test(file) ? undefined : `may not import ${specifier}: ${door.why}`
  return specifier.startsWith('node:') ? undefined : `${specifier} has no row in the table of doors`
}

function wrongLayer(file: string, target: string, typeOnly: boolean): string | undefined {
  const layer = layers.find((l) => l.files.test(file))
  if (!layer) return 'stands in no layer'
  if (layer.name === 'test') return undefined
  if (/\.test\.ts$/.test(target)) return `may not import a test (${target})`
  if (unitOf(target) === unitOf(file) && !target.startsWith('kit/testing/') && !tests.test(target)) return undefined
  const caught = layer.files.exec(file)?.[1] ?? ''
  const allows = (rules: string[] = []): boolean => rules.some((rule) => new RegExp(rule.replace('$1', caught)).test(target))
  if (allows(layer.may) || (typeOnly && allows(layer.mayType))) return undefined
  return `a file of the layer "${layer.name}" may not import ${target}${allows(layer.mayType) ? ' except as a type' : ''}`
}

/** The project's own violations. */
export const check = (root: string): string[] => violations(readImports(root))
