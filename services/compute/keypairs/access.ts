import { verdicts, type AccessCase, type AccessWorld } from '#kit/testing/access.ts'

const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGKKp0YJkm0nGKLJmYaKsDmuyYlvMEBbNhTuTVSuqpQc somebody@somewhere'
const adminsKey = async (w: AccessWorld): Promise<{ params: { keypair_name: string }, query: { user_id: string } }> => {
  const { body } = await w.call('admin', 'compute', 'createKeypair', { body: { keypair: { name: w.unique('key'), public_key: publicKey, type: 'ssh' } } })
  return { params: { keypair_name: body.keypair.name }, query: { user_id: body.keypair.user_id } }
}

export const access: AccessCase[] = [
  { operation: 'listKeypairs', expect: verdicts.listing() },
  { operation: 'createKeypair', request: (w) => ({ body: { keypair: { name: w.unique('key'), public_key: publicKey } } }), expect: verdicts.listing(201) },
  { operation: 'showKeypair', about: 'somebody else\'s', request: adminsKey, expect: verdicts.admin() },
  { operation: 'deleteKeypair', about: 'somebody else\'s', request: adminsKey, expect: verdicts.admin(204) },
]
