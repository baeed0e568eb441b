import { randomBytes } from "node:crypto";

import { packPfx } from "../../provider/certificate/packPfx";
import { Secret } from "../../provider/secret";
import { makeTestCertificate, type TestCertificateWish } from "../certificate/testCertificates";
import { makeProject, mustSucceed, type EngineProject, type ProjectOptions } from "./engine";

export const EX01 = "ex01.contoso.com";
export const EX02 = "ex02.contoso.com";
export const STATE_FILE = ".exchange-simulator.json";

/** Settings that choose the simulator, whose file lies in the project. */
const SIMULATED = { "exchange:backend": "simulator" } as const;

/** Bindings of a program: name and arguments, the latter as JavaScript text. */
export type Declared = Readonly<Record<string, string>>;

/** A program in JavaScript that declares bindings. */
export function programOf(bindings: Declared): string {
  const declarations = Object.entries(bindings).map(
    ([name, args]) => `const ${name} = new ExchangeCertificateBinding(${JSON.stringify(name)}, ${args});`,
  );
  return `
    const pulumi = require("@pulumi/pulumi");
    const { ExchangeCertificateBinding } = require("pulumi-exchange-certificates");
    ${declarations.join("\n    ")}
  `;
}

/** A project of JavaScript bindings on a simulated organisation of its own, which is there already. */
export async function makeBindings(bindings: Declared, more: Partial<ProjectOptions> = {}): Promise<EngineProject> {
  const project = await makeProject({ program: programOf(bindings), config: SIMULATED, ...more });
  // The console makes none by looking at it.
  if (more.config === undefined) mustSucceed(await project.simulator("init"));
  return project;
}

/** A PFX as somebody would bring it. */
export interface TestPfx {
  readonly thumbprint: string;
  readonly bytes: Uint8Array;
  readonly base64: string;
  readonly password: string;
  /** PKCS#8, PEM. */
  readonly privateKeyPem: string;
  readonly certificatePem: string;
}

/** By default a certificate for mail.contoso.com that is valid for many years. */
export function makePfx(wish: TestCertificateWish = {}): TestPfx {
  const password = `pw-${randomBytes(12).toString("hex")}`;
  const material = makeTestCertificate({ dnsNames: ["mail.contoso.com"], ...wish });
  const bytes = packPfx(material, new Secret(password)).reveal();
  const body = Buffer.from(material.der).toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
  return {
    thumbprint: material.facts.thumbprint,
    bytes,
    base64: Buffer.from(bytes).toString("base64"),
    password,
    privateKeyPem: material.privateKey.reveal().export({ type: "pkcs8", format: "pem" }).toString(),
    certificatePem: `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`,
  };
}

/** A PFX given as contents, as source text. */
export function pfxText(pfx: TestPfx): string {
  return JSON.stringify({ pfx: pfx.base64, password: pfx.password });
}

/** A certificate of the simulated server, as the simulator's command prints it. */
export interface ShownCertificate {
  readonly Thumbprint: string;
  readonly Subject: string;
  readonly Services: string;
  readonly IISServices: readonly string[];
  readonly Status: string;
  readonly FriendlyName: string;
}

export async function certificatesOf(project: EngineProject, server: string): Promise<readonly ShownCertificate[]> {
  const { stdout } = mustSucceed(await project.simulator("Get-ExchangeCertificate", "-Server", server, "--json"));
  return JSON.parse(stdout) as readonly ShownCertificate[];
}

export async function frontEndOf(project: EngineProject, server: string): Promise<string> {
  const certificates = await certificatesOf(project, server);
  const holder = certificates.find(({ IISServices }) => IISServices.some((site) => site.endsWith("/1")));
  if (holder === undefined) throw new Error(`No certificate of ${server} holds the front end.`);
  return holder.Thumbprint;
}

export async function defaultSmtpOf(project: EngineProject, server: string): Promise<string> {
  const { stdout } = mustSucceed(await project.simulator("Get-TransportService", "-Identity", server, "--json"));
  const [shown] = JSON.parse(stdout) as readonly { readonly InternalTransportCertificateThumbprint: string }[];
  if (shown === undefined) throw new Error(`${server} answered nothing.`);
  return shown.InternalTransportCertificateThumbprint;
}

/** Gives services to a certificate by hand, as somebody at a console would. */
export async function enableByHand(
  project: EngineProject,
  server: string,
  thumbprint: string,
  services: string,
): Promise<void> {
  const args = ["-Server", server, "-Thumbprint", thumbprint, "-Services", services, "-Force"];
  mustSucceed(await project.simulator("Enable-ExchangeCertificate", ...args));
}
