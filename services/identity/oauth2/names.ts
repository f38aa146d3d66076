// Whom a certificate is about and who issued it. TLS has checked the certificate; here it is only read.
const short: Record<string, string> = {
  '2.5.4.3': 'CN', '2.5.4.6': 'C', '2.5.4.7': 'L', '2.5.4.8': 'ST', '2.5.4.9': 'STREET', '2.5.4.10': 'O', '2.5.4.11': 'OU',
  '0.9.2342.19200300.100.1.25': 'DC', '0.9.2342.19200300.100.1.1': 'UID', '1.2.840.113549.1.9.1': 'EMAILADDRESS',
}

interface Part { tag: number, body: Buffer }
/** The elements of DER one after another. Throws RangeError for what is none. */
function partsOf(der: Buffer): Part[] {
  const parts: Part[] = []
  for (let at = 0; at < der.length;) {
    const tag = der.readUInt8(at), first = der.readUInt8(at + 1), long = first & 0x80 ? first & 0x7f : 0
    if (long > 4 || first === 0x80) throw new RangeError('a length that cannot be')
    const from = at + 2 + long, size = long ? der.readUIntBE(at + 2, long) : first
    if (from + size > der.length) throw new RangeError('an element beyond the end')
    parts.push({ tag, body: der.subarray(from, from + size) })
    at = from + size
  }
  return parts
}

function oidOf(body: Buffer): string {
  const numbers: number[] = []
  let number = 0
  for (const byte of body) {
    number = number * 128 + (byte & 0x7f)
    if (!(byte & 0x80)) { numbers.push(number); number = 0 }
  }
  const first = numbers[0] ?? 0, root = Math.min(2, Math.floor(first / 40))
  return [root, first - root * 40, ...numbers.slice(1)].join('.')
}
/** The text of a UTF8String, PrintableString, T61String, IA5String or BMPString; of nothing else. */
function textOf({ tag, body }: Part): string | undefined {
  if (tag === 0x0c) return body.toString('utf8')
  if (tag === 0x13 || tag === 0x14 || tag === 0x16) return body.toString('latin1')
  return tag === 0x1e && body.length % 2 === 0 ? Buffer.from(body).swap16().toString('utf16le') : undefined
}

/** `SSL_CLIENT_SUBJECT_DN_CN` and so on, as mappings name them: what RFC 4514 has no short name for by its number. Empty for what is no certificate. */
export function namesOf(certificate: Buffer): Map<string, string[]> {
  const names = new Map<string, string[]>()
  try {
    const told = partsOf(partsOf(partsOf(certificate)[0]!.body)[0]!.body).filter((part) => part.tag !== 0xa0)
    for (const [who, part] of [['ISSUER', told[2]], ['SUBJECT', told[4]]] as const) {
      for (const one of partsOf(part!.body).flatMap((set) => partsOf(set.body))) {
        const [oid, value] = partsOf(one.body), type = oidOf(oid!.body), text = textOf(value!)
        const key = `SSL_CLIENT_${who}_DN_${short[type] ?? type}`
        if (text) names.set(key, [...names.get(key) ?? [], text])
      }
    }
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return new Map()
    throw error
  }
  return names
}
