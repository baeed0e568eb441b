import { recogniseFile } from "./recognise";
import { describeStranger } from "./strangers";

/** Certificates as PEM, which is what TLS takes. `problem` completes a sentence that names the file. */
export type Authorities = { readonly pem: string } | { readonly problem: string };

/** The certificates in a file of authorities, whatever form it has. A large one takes a while: see `readAuthorities`. */
export function authoritiesIn(file: Uint8Array): Authorities {
  const found = recogniseFile(file);
  if (found.kind === "pfx") {
    return {
      problem:
        "it is a PFX. Write its certificates into a file of their own: openssl pkcs12 -in FILE -nokeys -out ca.pem.",
    };
  }
  if (found.kind === "stranger") return { problem: describeStranger(found.stranger) };
  const broken = found.strangers.find((one) => one === "damagedBlock" || one === "cutOff");
  if (broken !== undefined) return { problem: `in a part of it, ${describeStranger(broken)}` };
  if (found.certificates.length === 0) {
    return { problem: "it holds a key and no certificate. Give the certificates of the authorities." };
  }
  return { pem: found.certificates.map(pemOf).join("") };
}

function pemOf(der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString("base64")
    .replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
