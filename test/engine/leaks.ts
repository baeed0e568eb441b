import { createPrivateKey } from "node:crypto";

import { STATE_FILE, type TestPfx } from "./bindingProgram";
import type { EngineProject } from "./engine";

/** A form of a secret: what it is, and the text by which it would be found. */
export type SecretForm = readonly [name: string, text: string];

/** Every form in which a secret usually leaks, each long enough not to be met by chance. */
function formsOf(name: string, bytes: Uint8Array): SecretForm[] {
  const buffer = Buffer.from(bytes);
  const forms: SecretForm[] = [[`${name} in hex`, buffer.toString("hex")]];
  // Base64 of something that contains it depends on where it begins: leave out what the neighbours could change.
  for (const shift of [0, 1, 2]) {
    const shifted = Buffer.concat([Buffer.alloc(shift), buffer]).toString("base64");
    forms.push([`${name} in base64 (shifted by ${String(shift)})`, shifted.slice(shift === 0 ? 0 : 4, -4)]);
  }
  return forms;
}

/** Long secrets are looked for in pieces too: PEM breaks lines, and logs cut. */
function piecesOf(name: string, text: string): SecretForm[] {
  return Array.from({ length: Math.floor(text.length / 64) }, (_, index) => [
    `line ${String(index + 1)} of ${name}`,
    text.slice(index * 64, index * 64 + 64),
  ]);
}

/** A password of at least a dozen letters. */
export function formsOfPassword(name: string, password: string): SecretForm[] {
  return [
    [name, password],
    ...formsOf(name, Buffer.from(password)),
    ...formsOf(`${name} in UTF-16`, Buffer.from(password, "utf16le")),
  ];
}

export function secretsOf(pfx: TestPfx): SecretForm[] {
  const key = createPrivateKey(pfx.privateKeyPem);
  const pkcs8 = key.export({ type: "pkcs8", format: "der" });
  const pkcs1 = key.export({ type: "pkcs1", format: "der" });
  const { d = "", n = "" } = key.export({ format: "jwk" });
  /** Where the part begins that isn't in the certificate too: behind the modulus. */
  const privateFrom = (der: Buffer): number => {
    const modulus = Buffer.from(n, "base64url");
    return modulus.length === 0 ? 48 : der.indexOf(modulus) + modulus.length;
  };
  return [
    ...formsOfPassword("the password", pfx.password),
    ...piecesOf("the PFX in base64", pfx.base64),
    ...piecesOf("the PFX in hex", Buffer.from(pfx.bytes).toString("hex")),
    // 64 letters are 48 bytes in base64 and 32 in hex.
    ...piecesOf("the key (PKCS#8)", pkcs8.toString("base64")).slice(Math.ceil(privateFrom(pkcs8) / 48)),
    ...piecesOf("the key (PKCS#1)", pkcs1.toString("base64")).slice(Math.ceil(privateFrom(pkcs1) / 48)),
    ...piecesOf("the key in hex", pkcs8.toString("hex")).slice(Math.ceil(privateFrom(pkcs8) / 32)),
    ["the private exponent", d],
  ];
}

/** Names of the secrets that stand in the text, in any form. */
export function leaksIn(text: string, secrets: readonly SecretForm[]): string[] {
  const lower = text.toLowerCase();
  return secrets.filter(([, form]) => text.includes(form) || lower.includes(form.toLowerCase())).map(([name]) => name);
}

/** Everything a run has left behind: state, settings, what was printed, and the simulated organisation. */
export function leftBehind(project: EngineProject): Readonly<Record<string, string>> {
  return {
    "the state": project.stateText(),
    "the output": project.transcriptText(),
    "the simulator's file": project.readFile(STATE_FILE),
  };
}
