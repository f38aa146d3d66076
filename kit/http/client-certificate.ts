// The certificate a client showed on our own TLS socket, when one of the authorities we were told of vouches for it. What a header says of one is never believed.
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'

/** DER; undefined without TLS, without a certificate, and for one that nobody we trust vouches for or whose time is over. */
export function clientCertificate({ socket }: Pick<IncomingMessage, 'socket'>): Buffer | undefined {
  const shown = socket instanceof TLSSocket && socket.authorized ? socket.getPeerX509Certificate() : undefined
  // A connection, or a session that is taken up again, may be older than the certificate's end.
  return shown && shown.validToDate.getTime() > Date.now() ? shown.raw : undefined
}

/** `x5t#S256` as keystone and its middleware write it: of the PEM text, where RFC 8705 takes the DER, and with padding. */
export const thumbprintOf = (der: Buffer): string =>
  `${createHash('sha256').update(`-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`).digest('base64url')}=`
