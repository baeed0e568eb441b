import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { parseThumbprint, type Thumbprint } from "../../certificate/thumbprint";
import { isBindingError, messageOf, type ErrorCode, type ExchangeBindingError } from "../../errors";
import type { DisplayedService, Observed, ServerFqdn } from "../../model";
import type {
  Backend,
  CallOptions,
  CertificateSnapshot,
  EnableRequest,
  ImportRequest,
  ServerSnapshot,
} from "../backend";
import type { BackendSituations, TestCertificate } from "./harness";

/** One rule of the contract, tried on a workbench. */
export interface CaseDefinition {
  readonly title: string;
  /** The situation without which the case can't be tried. */
  readonly needs?: keyof BackendSituations;
  readonly run: (bench: Workbench) => Promise<void>;
}

/** What a case works with. */
export interface Workbench {
  readonly server: ServerFqdn;
  readonly unknownServer: ServerFqdn;
  readonly situations: Required<BackendSituations>;
  /** An open backend in ordinary circumstances. */
  readonly backend: Backend;
  /** Opens another one; the bench closes it. */
  open(): Promise<Backend>;
  /** Certificates of the suite: two for different names, a wildcard. None of them is on the server when a case begins. */
  certificate(which: TestCertificateName): Promise<TestCertificate>;
}

export type TestCertificateName = "first" | "second" | "wildcard";

/** A call without a time limit, for calls that are expected to end by themselves. */
export const unlimited: CallOptions = { signal: new AbortController().signal };

export function importRequest(certificate: TestCertificate, changes: Partial<ImportRequest> = {}): ImportRequest {
  return {
    thumbprint: certificate.thumbprint,
    pfx: certificate.pfx,
    password: certificate.password,
    friendlyName: undefined,
    privateKeyExportable: false,
    ...changes,
  };
}

export function enableRequest(
  thumbprint: Thumbprint,
  services: EnableRequest["services"],
  changes: Partial<EnableRequest> = {},
): EnableRequest {
  return { thumbprint, services, replaceDefaultSmtpCertificate: false, requireSsl: true, ...changes };
}

/** Imports a certificate of the suite and returns it. */
export async function imported(bench: Workbench, which: TestCertificateName): Promise<TestCertificate> {
  const certificate = await bench.certificate(which);
  await bench.backend.importCertificate(bench.server, importRequest(certificate), unlimited);
  return certificate;
}

export function snapshotOf(bench: Workbench, backend: Backend = bench.backend): Promise<ServerSnapshot> {
  return backend.readSnapshot(bench.server, unlimited);
}

export function thumbprintOf(certificate: CertificateSnapshot): Thumbprint {
  const thumbprint = parseThumbprint(createHash("sha1").update(certificate.der).digest("hex"));
  assert.ok(thumbprint !== undefined);
  return thumbprint;
}

export function findCertificate(snapshot: ServerSnapshot, thumbprint: Thumbprint): CertificateSnapshot | undefined {
  return snapshot.certificates.find((certificate) => thumbprintOf(certificate) === thumbprint);
}

export function getCertificate(snapshot: ServerSnapshot, thumbprint: Thumbprint): CertificateSnapshot {
  const certificate = findCertificate(snapshot, thumbprint);
  assert.ok(certificate !== undefined, `the certificate ${thumbprint} is not in the snapshot`);
  return certificate;
}

/** The value of a part that an ordinary server must be able to tell. */
export function knownValue<T>(observed: Observed<T>, what: string): T {
  if (observed.kind === "unknown") assert.fail(`${what} is unknown: ${observed.reason}`);
  return observed.value;
}

export function displayed(snapshot: ServerSnapshot, thumbprint: Thumbprint): readonly DisplayedService[] {
  return knownValue(getCertificate(snapshot, thumbprint).displayedServices, `services of ${thumbprint}`);
}

export function sites(snapshot: ServerSnapshot, thumbprint: Thumbprint): readonly number[] {
  return knownValue(getCertificate(snapshot, thumbprint).iisSites, `IIS sites of ${thumbprint}`);
}

export function defaultSmtp(snapshot: ServerSnapshot): Thumbprint | undefined {
  return knownValue(snapshot.defaultSmtpThumbprint, "default SMTP certificate");
}

/** The certificate of the front-end site (number 1); `undefined` when there is none in the store. */
export function frontEnd(snapshot: ServerSnapshot): Thumbprint | undefined {
  const holder = snapshot.certificates.find(({ iisSites }) => iisSites.kind === "known" && iisSites.value.includes(1));
  return holder === undefined ? undefined : thumbprintOf(holder);
}

/**
 * A snapshot as plain data in an order of its own, for comparing two of them: neither the order of certificates and
 * services nor the class of the bytes is promised.
 */
export function comparable(snapshot: ServerSnapshot): unknown {
  const ordered = (value: unknown): unknown => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
    if (Array.isArray(value)) {
      const texts = value.map((item) => JSON.stringify(ordered(item)));
      return texts.sort();
    }
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, part]): [string, unknown] => [key, ordered(part)]);
    return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
  };
  return ordered(snapshot);
}

/** The texts that must never be seen: the password, and the PFX in the forms in which bytes get printed. */
function secretTexts(certificate: TestCertificate): string[] {
  const pfx = Buffer.from(certificate.pfx.reveal());
  const middle = pfx.subarray(Math.floor(pfx.length / 3), Math.floor(pfx.length / 3) + 48);
  return [certificate.password.reveal(), pfx.toString("base64"), middle.toString("hex"), [...middle].join(",")];
}

/** Everything that a program could print of an error. */
function everythingSaidBy(error: unknown): string {
  const seen: string[] = [inspect(error, { depth: 10, showHidden: true, maxStringLength: null })];
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 10; cause = cause.cause, depth++) {
    seen.push(cause.message, cause.stack ?? "", JSON.stringify(cause));
  }
  return seen.join("\n");
}

function assertNoSecrets(error: unknown, certificates: readonly TestCertificate[]): void {
  const said = everythingSaidBy(error);
  for (const certificate of certificates) {
    for (const secret of secretTexts(certificate)) {
      // Not assert.equal: its own message would print what must not be seen.
      assert.ok(!said.includes(secret), `an error shows a secret of the certificate ${certificate.thumbprint}`);
    }
  }
}

/** Expects a call to fail with one of the codes, and the error to be of use to whoever reads it. */
export async function failsWith(
  codes: readonly ErrorCode[],
  call: () => Promise<unknown>,
  secretsOf: readonly TestCertificate[] = [],
): Promise<ExchangeBindingError> {
  let outcome: unknown;
  try {
    outcome = await call();
  } catch (error) {
    assertNoSecrets(error, secretsOf);
    if (!isBindingError(error)) {
      return assert.fail(`expected an ExchangeBindingError with code ${codes.join(" or ")}, got: ${messageOf(error)}`);
    }
    assert.ok(codes.includes(error.code), `expected code ${codes.join(" or ")}, got ${error.code}: ${error.message}`);
    assert.notEqual(error.message.trim(), "", `the error with code ${error.code} has no message`);
    return error;
  }
  return assert.fail(`expected an error with code ${codes.join(" or ")}, got ${inspect(outcome)}`);
}
