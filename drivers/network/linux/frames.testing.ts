// Ethernet frames made by hand, for tests that lie about who they are.

export const macBytes = (mac: string): Buffer => Buffer.from(mac.replaceAll(':', ''), 'hex')
export const ip4Bytes = (ip: string): Buffer => Buffer.from(ip.split('.').map(Number))
export const ip6Bytes = (ip: string): Buffer => {
  const [head = '', tail] = ip.split('::')
  const groups = (text: string): string[] => text === '' ? [] : text.split(':')
  const middle = tail === undefined ? [] : Array<string>(8 - groups(head).length - groups(tail).length).fill('0')
  return Buffer.from([...groups(head), ...middle, ...groups(tail ?? '')].map(group => group.padStart(4, '0')).join(''), 'hex')
}
const u16 = (...values: number[]): Buffer => Buffer.concat(values.map(value => Buffer.from([value >> 8 & 0xff, value & 0xff])))

const checksum = (...parts: Buffer[]): Buffer => {
  const bytes = Buffer.concat(parts)
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] as number) << 8 | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  return u16(~sum & 0xffff)
}

export const ethernet = (to: string, from: string, type: number, payload: Buffer): Buffer => Buffer.concat([macBytes(to), macBytes(from), u16(type), payload])
export const tagged = (vlan: number, frame: Buffer): Buffer => Buffer.concat([frame.subarray(0, 12), u16(0x8100, vlan), frame.subarray(12)])

export const arp = (operation: 1 | 2, senderMac: string, senderIp: string, targetMac: string, targetIp: string): Buffer =>
  Buffer.concat([u16(1, 0x0800, 0x0604, operation), macBytes(senderMac), ip4Bytes(senderIp), macBytes(targetMac), ip4Bytes(targetIp)])

export const ipv4 = (from: string, to: string, protocol: number, payload: Buffer): Buffer => {
  const head = Buffer.concat([u16(0x4500, 20 + payload.length, 1, 0), Buffer.from([64, protocol]), u16(0), ip4Bytes(from), ip4Bytes(to)])
  checksum(head).copy(head, 10)
  return Buffer.concat([head, payload])
}

export const ipv6 = (from: string, to: string, protocol: number, payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0x60, 0, 0, 0]), u16(payload.length), Buffer.from([protocol, 255]), ip6Bytes(from), ip6Bytes(to), payload])

/** Over IPv4 a UDP packet needs no checksum; over IPv6 give the addresses. */
export const udp = (from: number, to: number, data: string, over6?: { from: string, to: string }): Buffer => {
  const packet = Buffer.concat([u16(from, to, 8 + data.length, 0), Buffer.from(data)])
  if (over6) checksum(ip6Bytes(over6.from), ip6Bytes(over6.to), u16(0, packet.length, 0, 17), packet).copy(packet, 6)
  return packet
}

export const icmpv6 = (from: string, to: string, type: number, body: Buffer): Buffer => {
  const packet = Buffer.concat([Buffer.from([type, 0, 0, 0]), body])
  checksum(ip6Bytes(from), ip6Bytes(to), u16(0, packet.length, 0, 58), packet).copy(packet, 2)
  return packet
}

/** Sends frames (hex, one a line on stdin) out of eth0. */
export const sendScript = 'import socket,sys\ns=socket.socket(socket.AF_PACKET,socket.SOCK_RAW)\ns.bind(("eth0",0))\nfor l in sys.stdin: s.send(bytes.fromhex(l.strip()))'
/** Prints every frame that arrives at eth0 as hex, until one with the marker. */
export const sniffScript = `import socket,struct
s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW,socket.htons(3))
s.bind(("eth0",3))
s.setsockopt(263,1,struct.pack("iHH8s",socket.if_nametoindex("eth0"),1,0,b""))
print("ready",flush=True)
while True:
  f,a=s.recvfrom(65535)
  if a[2]==4: continue
  print(f.hex(),flush=True)
  if b"END-OF-TEST" in f: break`
