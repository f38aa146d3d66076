// Authorities and the certificates they issue, for tests.
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { der, instant, sequence } from '../federation/certificate.ts'

/** Object identifiers in DER. */
export const attribute = { CN: '0603550403', O: '060355040a', UID: '060a0992268993f22c640101', DC: '060a0992268993f22c640119', emailAddress: '06092a864886f70d010901', title: '060355040c' }
export type Names = [keyof typeof attribute, string][]
export interface Issued { cert: string, key: string, names: Names, privateKey: KeyObject, der: Buffer }

const ecdsa = sequence(Buffer.from('06082a8648ce3d040302', 'hex'))
const named = (names: Names): Buffer => sequence(...names.map(([name, text]) => der(0x31, sequence(Buffer.from(attribute[name], 'hex'), der(name === 'DC' || name === 'emailAddress' ? 0x16 : 0x0c, Buffer.from(text))))))
const authority = der(0xa3, sequence(sequence(Buffer.from('0603551d13', 'hex'), der(0x01, Buffer.of(255)), der(0x04, sequence(der(0x01, Buffer.of(255)))))))
/** For a server on the loopback. */
const loopback = der(0xa3, sequence(sequence(Buffer.from('0603551d11', 'hex'), der(0x04, sequence(der(0x87, Buffer.of(127, 0, 0, 1)))))))

/** A certificate for these names; without an issuer an authority of its own. `untilMs`: from now. */
export function certify(names: Names, issuer?: Issued, { server = false, untilMs = 86_400_000 } = {}): Issued {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' }), serial = Buffer.concat([Buffer.of(1), randomBytes(8)])
  const times = sequence(instant(new Date(Date.now() - 172_800_000)), instant(new Date(Date.now() + untilMs)))
  const told = sequence(der(0xa0, der(0x02, Buffer.of(2))), der(0x02, serial), ecdsa, named(issuer?.names ?? names), times, named(names), publicKey.export({ type: 'spki', format: 'der' }), ...(issuer ? server ? [loopback] : [] : [authority]))
  const whole = sequence(told, ecdsa, der(0x03, Buffer.of(0), sign('sha256', told, issuer?.privateKey ?? privateKey)))
  return {
    names, privateKey, der: whole, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${whole.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
  }
}
