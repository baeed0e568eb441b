import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { buildCertificate } from "../../../certificate/buildCertificate";
import { COMMON_NAME, type DistinguishedName } from "../../../certificate/distinguishedName";
import { DAY_MS } from "../../../model";
import { Secret } from "../../../secret";

/** A certificate for the endpoint that is made on the spot. All PEM. */
export interface EndpointCertificate {
  readonly certificate: string;
  readonly privateKey: Secret<string>;
  /** Of the authority that signed it, whose key is thrown away: what clients are told to trust. */
  readonly authority: string;
}

/** Long enough for a rehearsal, short enough not to be kept. */
const VALIDITY_DAYS = 30;

/** Makes an authority and, signed by it, a certificate for these names: DNS names and IP addresses. */
export function makeEndpointCertificate(
  names: readonly string[],
  env: { readonly now: Date; readonly randomBytes: (count: number) => Buffer },
): EndpointCertificate {
  const dates = {
    notBefore: new Date(env.now.getTime() - DAY_MS),
    notAfter: new Date(env.now.getTime() + VALIDITY_DAYS * DAY_MS),
  };
  const authority = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const authorityDer = buildCertificate(
    {
      ...dates,
      subject: commonName("Simulated Exchange endpoint, authority made on the spot"),
      publicKey: authority.publicKey,
      dnsNames: [],
      serialNumber: serialNumber(env.randomBytes(16)),
      isAuthority: true,
    },
    { privateKey: authority.privateKey, certificate: undefined },
  );
  // RSA, as Exchange's certificates mostly are: beside an ECC one OpenSSL goes on showing that to TLS 1.3 clients when
  // SNI has chosen one of RSA (seen with 3.0.19), and the front end couldn't follow IIS.
  const own = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const der = buildCertificate(
    {
      ...dates,
      subject: commonName("Simulated Exchange endpoint"),
      publicKey: own.publicKey,
      dnsNames: names.filter((name) => isIP(name) === 0),
      ipAddresses: names.filter((name) => isIP(name) !== 0).map(addressBytes),
      serialNumber: serialNumber(env.randomBytes(16)),
      isAuthority: false,
    },
    { privateKey: authority.privateKey, certificate: authorityDer },
  );
  return {
    certificate: new X509Certificate(der).toString(),
    privateKey: new Secret(own.privateKey.export({ type: "pkcs8", format: "pem" }).toString()),
    authority: new X509Certificate(authorityDer).toString(),
  };
}

function commonName(value: string): DistinguishedName {
  return [[{ oid: COMMON_NAME, value }]];
}

/** Positive and always of the same length. */
function serialNumber(random: Buffer): Uint8Array {
  const bytes = new Uint8Array(random);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

/** 4 bytes, or 16. */
function addressBytes(address: string): Uint8Array {
  if (isIP(address) === 4) return Uint8Array.from(address.split("."), Number);
  const [head = "", tail] = address.split("::");
  const groups = (text: string): string[] => text.split(":").filter((group) => group !== "");
  const [first, last] = [groups(head), groups(tail ?? "")];
  const all = [...first, ...Array<string>(8 - first.length - last.length).fill("0"), ...last];
  return Uint8Array.from(all.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]));
}
