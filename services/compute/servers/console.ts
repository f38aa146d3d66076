// What the guest wrote to its serial console. https://docs.openstack.org/api-ref/compute/#show-console-output-os-getconsoleoutput-action
import { conflict } from '#base/errors.ts'
import { lenient, nullable, Type } from '#kit/http/schema.ts'
import { operation } from '../deps.ts'
import { asNumber, wholeNumber } from '../fields.ts'
import * as policy from './policy.ts'
import { target } from './target.ts'

export const showConsoleOutput = operation({
  name: 'showConsoleOutput', method: 'POST', path: '/servers/{server_id}/action', action: 'os-getConsoleOutput', summary: 'Show the end of a server\'s console log.', access: policy.change, target, status: 200,
  body: nullable(lenient({ length: Type.Optional(Type.Union([wholeNumber(-1), Type.Null()])) })),
  faults: ['conflict'],
  async handle(ctx, { target, body }, { lifecycle }) {
    if (target.host === null) throw conflict(`Instance ${target.id} is not ready`)
    const length = body?.length === undefined || body.length === null ? undefined : asNumber('length', body.length, -1)
    const { power: _power, ...row } = target
    return { output: await lifecycle.consoleLog(ctx, row, length === -1 ? undefined : length) }
  },
})
