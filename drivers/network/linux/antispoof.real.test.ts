// What a guest cannot claim to be: frames made by hand on one guest, everything that arrives on another.
import assert from 'node:assert/strict'
import { waitFor } from '#base/retry.ts'
import { readText } from '#host/files.ts'
import { execIn } from '#host/netns.ts'
import type { NetworkSpec, PortSpec } from '../contract.ts'
import { allow, someNetwork, somePort } from '../specs.testing.ts'
import { linkLocalOf } from './addresses.ts'
import { ctx, makeBed, onOwnHost } from './bed.testing.ts'
import type { Bed, Guest } from './bed.testing.ts'
import { arp, ethernet, icmpv6, ip6Bytes, ipv4, ipv6, sendScript, sniffScript, tagged, udp } from './frames.testing.ts'

const { after, before, test } = await onOwnHost(import.meta.url)

const broadcast = 'ff:ff:ff:ff:ff:ff', allNodes = '33:33:00:00:00:01'
const pairMac = '02:00:00:00:00:77', strangerMac = '02:00:00:00:00:66'
const own6 = '2001:db8::11', peer6 = '2001:db8::12'

let bed: Bed, network: NetworkSpec, liar: Guest, peer: Guest, portA: PortSpec, portB: PortSpec
before(async () => {
  bed = await makeBed()
  network = someNetwork({ prefix: '10.7.0' })
  await bed.driver.ensureNetwork(ctx, network)
  portA = somePort(network, '10.7.0.11', { ips: ['10.7.0.11', own6], allowedPairs: [{ ip: '10.7.0.96/29' }, { ip: '10.7.0.50', mac: pairMac }, { ip: '2001:db8:1::/64' }], rules: [{ direction: 'egress', ipVersion: 4 }, { direction: 'egress', ipVersion: 6 }, allow({}), allow({ ipVersion: 6 })] })
  portB = somePort(network, '10.7.0.12', { portSecurity: false, rules: [] })
  liar = await bed.guest(portA)
  peer = await bed.guest(portB)
})
after(() => bed.end())

/** Sends frames from one guest and answers the names of those that reached the other. A last honest frame says when all have had their turn. */
const arriving = async (from: Guest, to: Guest, frames: Record<string, Buffer>, honest: Buffer, between?: () => Promise<unknown>): Promise<string[]> => {
  const log = `${bed.folder}/frames-${Math.random().toString(36).slice(2)}`
  await to.starts('sh', ['-c', 'exec /usr/bin/python3 -c "$1" > "$2"', 'sh', sniffScript, log])
  await waitFor('the listener', async () => (await readText(log))?.includes('ready') || undefined, 10_000)
  const send = (list: Buffer[]): Promise<unknown> => execIn(from.netns, '/usr/bin/python3', ['-c', sendScript], { stdin: list.map(frame => `${frame.toString('hex')}\n`).join('') })
  await send(Object.values(frames))
  await between?.()
  await send([honest])
  const seen = await waitFor('the last frame', async () => {
    const text = await readText(log) ?? ''
    return text.includes(Buffer.from('END-OF-TEST').toString('hex')) ? text : undefined
  }, 10_000)
  return Object.keys(frames).filter(name => seen.includes(Buffer.from(`<${name}>`).toString('hex')))
}

const named = (frame: (token: string) => Buffer, name: string): Buffer => frame(`<${name}>`)
const build = (table: Record<string, (token: string) => Buffer>): Record<string, Buffer> => Object.fromEntries(Object.entries(table).map(([name, frame]) => [name, named(frame, name)]))
const tail = (frame: Buffer, token: string): Buffer => Buffer.concat([frame, Buffer.from(token)])

test('only what the port may claim leaves it', async () => {
  const a = portA.mac, b = portB.mac, own = linkLocalOf(a), other = linkLocalOf(strangerMac)
  const say = (from: string, mac: string, token: string): Buffer => ethernet(b, mac, 0x0800, ipv4(from, '10.7.0.12', 17, udp(4000, 5000, token)))
  const say6 = (from: string, mac: string, token: string): Buffer => ethernet(b, mac, 0x86dd, ipv6(from, peer6, 17, udp(4000, 5000, token, { from, to: peer6 })))
  const nd = (from: string, mac: string, type: number, body: Buffer): Buffer => ethernet(allNodes, mac, 0x86dd, ipv6(from, 'ff02::1', 58, icmpv6(from, 'ff02::1', type, body)))
  const advert = (from: string, target: string, token: string): Buffer => nd(from, a, 136, tail(Buffer.concat([Buffer.from([0x20, 0, 0, 0]), ip6Bytes(target)]), token.padEnd(40)))
  const honest = build({
    'arp request': token => tail(ethernet(broadcast, a, 0x0806, arp(1, a, '10.7.0.11', '00:00:00:00:00:00', '10.7.0.12')), token),
    'arp probe': token => tail(ethernet(broadcast, a, 0x0806, arp(1, a, '0.0.0.0', '00:00:00:00:00:00', '10.7.0.11')), token),
    'own address': token => say('10.7.0.11', a, token),
    'pair of the own mac': token => say('10.7.0.99', a, token),
    'pair with its mac': token => say('10.7.0.50', pairMac, token),
    'arp of the pair': token => tail(ethernet(broadcast, pairMac, 0x0806, arp(2, pairMac, '10.7.0.50', b, '10.7.0.12')), token),
    'dhcp request': token => ethernet(broadcast, a, 0x0800, ipv4('0.0.0.0', '255.255.255.255', 17, udp(68, 67, token))),
    'own ipv6': token => say6(own6, a, token),
    'own link-local': token => say6(own, a, token),
    'pair of ipv6': token => say6('2001:db8:1::5', a, token),
    'neighbour advertisement': token => advert(own, own6, token),
    'neighbour advertisement of a pair': token => advert(own, '2001:db8:1::5', token),
    'duplicate address detection': token => nd('::', a, 135, tail(Buffer.concat([Buffer.alloc(4), ip6Bytes(own6)]), token.padEnd(40))),
  })
  const lies = build({
    'mac': token => say('10.7.0.11', strangerMac, token),
    'arp sender address': token => tail(ethernet(broadcast, a, 0x0806, arp(2, a, '10.7.0.1', b, '10.7.0.12')), token),
    'arp sender mac': token => tail(ethernet(broadcast, a, 0x0806, arp(2, strangerMac, '10.7.0.11', b, '10.7.0.12')), token),
    'arp pair address with the wrong mac': token => tail(ethernet(broadcast, a, 0x0806, arp(2, a, '10.7.0.50', b, '10.7.0.12')), token),
    'reverse arp': token => tail(ethernet(broadcast, a, 0x8035, arp(1, a, '10.7.0.11', a, '10.7.0.11')), token),
    'address': token => say('10.7.0.1', a, token),
    'address of the pair with the wrong mac': token => say('10.7.0.50', a, token),
    'own address with the mac of the pair': token => say('10.7.0.11', pairMac, token),
    'address beyond the pair': token => say('10.7.0.104', a, token),
    'no address': token => say('0.0.0.0', a, token),
    'dhcp offer': token => ethernet(broadcast, a, 0x0800, ipv4('10.7.0.11', '255.255.255.255', 17, udp(67, 68, token))),
    'dhcp offer from another port': token => ethernet(b, a, 0x0800, ipv4('10.7.0.11', '10.7.0.12', 17, udp(4000, 68, token))),
    'dhcpv6 reply': token => ethernet(b, a, 0x86dd, ipv6(own, peer6, 17, udp(547, 546, token, { from: own, to: peer6 }))),
    'ipv6 address': token => say6('2001:db8::1', a, token),
    'ipv6 link-local': token => say6(other, a, token),
    'ipv6 address of nobody': token => say6('::', a, token),
    'router advertisement': token => nd(own, a, 134, tail(Buffer.from('4000070800000000', 'hex'), token.padEnd(40))),
    'redirect': token => nd(own, a, 137, tail(Buffer.concat([Buffer.alloc(4), ip6Bytes(own), ip6Bytes(own6)]), token.padEnd(40))),
    'neighbour advertisement for another': token => advert(own, '2001:db8::1', token),
    'vlan tag': token => tagged(77, say('10.7.0.11', a, token)),
    'vlan tag zero': token => tagged(0, say('10.7.0.1', a, token)),
    'strange protocol': token => tail(ethernet(b, a, 0x88b5, Buffer.alloc(20)), token),
    'spanning tree': token => tail(ethernet('01:80:c2:00:00:00', a, 60, Buffer.from('424203000002', 'hex')), token.padEnd(54)),
    // Last, as a bridge that believes it sends the peer's frames to the liar from then on.
    'mac of the peer': token => ethernet(broadcast, b, 0x0800, ipv4('10.7.0.12', '10.7.0.255', 17, udp(4000, 5000, token))),
  })
  const end = ethernet(broadcast, a, 0x0800, ipv4('10.7.0.11', '10.7.0.255', 17, udp(4000, 5000, 'END-OF-TEST')))
  assert.deepEqual(await arriving(liar, peer, honest, end), Object.keys(honest))
  assert.deepEqual(await arriving(liar, peer, lies, end), [])

  await bed.driver.ensurePort(ctx, { ...portA, portSecurity: false, rules: [] })
  // The same frames do pass where nobody asks, so it was the rules that stopped them.
  assert.deepEqual(await arriving(liar, peer, lies, end), Object.keys(lies))
  await bed.driver.ensurePort(ctx, portA)
  assert.deepEqual(await arriving(liar, peer, lies, end), [])
})

test('a guarded guest hears no DHCP server or router but the network\'s own, even from an open port', async () => {
  const a = portA.mac, b = portB.mac, own = linkLocalOf(b)
  const nd = (type: number, token: string): Buffer => ethernet(allNodes, b, 0x86dd, ipv6(own, 'ff02::1', 58, icmpv6(own, 'ff02::1', type, tail(Buffer.from('4000070800000000', 'hex'), token.padEnd(40)))))
  const frames = build({
    'plain': token => ethernet(a, b, 0x0800, ipv4('10.7.0.12', '10.7.0.11', 17, udp(4000, 5000, token))),
    'dhcp offer': token => ethernet(broadcast, b, 0x0800, ipv4('10.7.0.12', '255.255.255.255', 17, udp(67, 68, token))),
    'dhcpv6 reply': token => ethernet(a, b, 0x86dd, ipv6(own, linkLocalOf(a), 17, udp(547, 546, token, { from: own, to: linkLocalOf(a) }))),
    'router advertisement': token => nd(134, token),
    'vlan tag': token => tagged(5, ethernet(a, b, 0x0800, ipv4('10.7.0.12', '10.7.0.11', 17, udp(4000, 5000, token)))),
  })
  assert.deepEqual(await arriving(peer, liar, frames, ethernet(a, b, 0x0800, ipv4('10.7.0.12', '10.7.0.11', 17, udp(4000, 5000, 'END-OF-TEST')))), ['plain'])
})

test('a link whose rules are not there passes nothing, either way', async () => {
  const cloud = `pl${bed.cloudId}`, tap = `t${portA.id.replaceAll('-', '').slice(0, 12)}`
  const hello = (mac: string, ip: string, text: string): Buffer => ethernet(broadcast, mac, 0x0800, ipv4(ip, '10.7.0.255', 17, udp(4000, 5000, text)))
  const lose = (): Promise<unknown> => execIn(cloud, 'nft', ['-f', '-'], { stdin: `delete element bridge pileus guards { "${tap}" : goto guard_${tap} }\ndelete element bridge pileus marks { "${tap}" }\n` })
  const mend = (): Promise<unknown> => bed.driver.ensurePort(ctx, portA)
  for (const [from, to, mac, ip] of [[liar, peer, portA.mac, '10.7.0.11'], [peer, liar, portB.mac, '10.7.0.12']] as const) {
    await lose()
    assert.deepEqual(await arriving(from, to, build({ hello: token => hello(mac, ip, token) }), hello(mac, ip, 'END-OF-TEST'), mend), [])
  }
})
