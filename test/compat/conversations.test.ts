// Replays what real clients said (conversations/*.json, written by record.ts) to a cloud with fake drivers: the same status codes, and every field they were told then.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { waitFor } from '#base/retry.ts'
import { testCloud } from '../cloud.ts'
import { fieldsOf, fill, follow, type Conversation, type Exchange, type Json } from './conversation.ts'
import { seededIds } from './seeded-ids.ts'

const dir = join(import.meta.dirname, 'conversations')

for (const file of readdirSync(dir).filter((name) => name.endsWith('.json')).sort()) {
  const { client, exchanges } = JSON.parse(readFileSync(join(dir, file), 'utf8')) as Conversation
  test(`${client}: ${exchanges.length} requests`, async (t) => {
    const cloud = await testCloud()
    t.after(() => cloud.close())
    const seeded = await seededIds(cloud)
    const answers: Json[] = []
    const tokens = new Map<number, string>()

    const known = (words: string): string => {
      if (words === 'url') return cloud.url
      if (words.startsWith('password:')) {
        const name = words.slice(9)
        return name === 'admin' ? cloud.config.secrets.adminPassword : name === 'demo' ? cloud.config.secrets.demoPassword : `password-${name}`
      }
      if (words.startsWith('seeded:')) return seeded[words.slice(7)]!
      const [, way, n] = /^(.*)#(\d+)$/s.exec(words)!
      const value = follow(answers[Number(n)], way!)
      assert.ok(typeof value === 'string', `answer ${n} has no ${way}: ${JSON.stringify(answers[Number(n)])?.slice(0, 500)}`)
      return value
    }
    const say = async (e: Exchange): Promise<{ status: number, answer: Json, headers: Headers }> => {
      const body = e.body === undefined ? undefined : typeof e.body === 'string' ? 'x'.repeat(Number(e.body.split(':')[1])) : JSON.stringify(fill(e.body as Json, known))
      const reply = await fetch(cloud.url + fill(e.path, known), { method: e.method, redirect: 'manual', headers: { ...e.headers, ...(e.token !== undefined && { 'x-auth-token': tokens.get(e.token)! }), ...(e.subject !== undefined && { 'x-subject-token': tokens.get(e.subject)! }) }, ...(body !== undefined && { body }) })
      const text = await reply.text()
      let answer: Json = null
      try { answer = JSON.parse(text) as Json } catch { /* Not all that is said is JSON. */ }
      return { status: reply.status, answer, headers: reply.headers }
    }

    for (const [i, exchange] of exchanges.entries()) {
      const what = `request ${i}: ${exchange.method} ${exchange.path}`
      let got = await say(exchange)
      // Servers take their time; clients ask again, and so do we.
      if (exchange.method === 'GET' && (exchange.until || exchange.status === 404)) {
        const arrived = (): boolean => got.status === exchange.status && (exchange.until === undefined || follow(got.answer, exchange.until.at) === exchange.until.is)
        await waitFor(`${what} to come to ${exchange.until?.is ?? exchange.status}`, async () => {
          if (arrived()) return true
          got = await say(exchange)
          return undefined
        }, 20_000, 20)
      }
      assert.equal(got.status, exchange.status, `${what}: ${JSON.stringify(got.answer)?.slice(0, 500)}`)
      answers.push(got.answer)
      if (exchange.method === 'POST' && /\/auth\/tokens$/.test(exchange.path) && got.status === 201) tokens.set(i, got.headers.get('x-subject-token')!)
      const told = new Set(fieldsOf(got.answer))
      // An empty list, null or an empty object now, where there was something then, says nothing about fields.
      const parts = (field: string): string[] => field.split(/(?=\[\])|\./)
      const missing = (exchange.fields ?? []).map((f) => String(fill(f, known))).filter((field) => !told.has(field) && !parts(field).some((_part, n) => {
        const upto = parts(field).slice(0, n + 1).join('.').replaceAll('.[]', '[]')
        return upto !== field && told.has(upto)
      }))
      assert.deepEqual(missing, [], `${what}: fields are missing`)
    }
  })
}
