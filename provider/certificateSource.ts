import { createHash } from "node:crypto";
import { resolve } from "node:path";
import * as z from "./zod";

import type { CertificateMaterial } from "./certificate/material";
import type { ChainCertificate } from "./certificate/fitness";
import { chainsToPublicRoot } from "./certificate/publicRoots";
import { readCertificate } from "./certificate/readCertificate";
import { readPem, readPfx } from "./certificate/readMaterial";
import { problemsOfSelfSigned } from "./certificate/selfSigned";
import type { SourceFileLimits } from "./certificate/sourceFile";
import { parseThumbprint } from "./certificate/thumbprint";
import type { Thumbprint } from "./certificate/thumbprint";
import { ExchangeBindingError, messageOf } from "./errors";
import type { DesiredCertificate, OnServerWish, SelfSignedWish } from "./plan/desired";
import { Secret } from "./secret";
import { NOT_PLAIN, isPlainText, isUsualVariable, shown } from "./shownValue";
import { SOURCE_KEYS, SOURCE_KINDS } from "./sourceKeys";
import type { Exposure, SourceKind } from "./sourceKeys";

/** What reading a source takes from outside. */
export interface SourceEnv {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string, limits: SourceFileLimits) => Promise<Uint8Array>;
}

/** Certificates with their keys that a check has read in this process, of one binding. */
export interface KeptMaterial {
  get(thumbprint: Thumbprint): CertificateMaterial | undefined;
  keep(material: CertificateMaterial): void;
}

export interface SourceContext {
  readonly env: SourceEnv;
  readonly kept: KeptMaterial;
  readonly signal?: AbortSignal | undefined;
}

/** A certificate source, read. */
export interface CertificateSource {
  /** `unknown` while nobody has chosen on the server. */
  readonly desired: DesiredCertificate;
  /** One is to be chosen on the server. */
  readonly onServer?: OnServerWish | undefined;
  readonly material: (() => CertificateMaterial) | undefined;
  /** What the state stores: nothing secret, nothing derived from a key or a password. */
  readonly normalised: Readonly<Record<string, unknown>>;
}

const DEFAULT_VALIDITY_DAYS = 365;
const DEFAULT_KEY_SIZE = 2048;

const LONGEST_PATH = 1024;

const text = (what: string) => z.string({ error: `${what} must be a text` }).min(1, { error: `${what} is empty` });
const pathOf = (what: string) =>
  text(what).max(LONGEST_PATH, { error: `${what} is too long for a path; give the texts themselves as pem` });
const dnsNames = (what: string) =>
  z
    .array(
      z
        .string({ error: `${what} must be a list of DNS names` })
        .transform((name) => name.trim().toLowerCase())
        .refine((name) => DNS_NAME.test(name), {
          error: (issue) => `${what}: ${shown(issue.input)} isn't a DNS name`,
        }),
      { error: `${what} must be a list of DNS names` },
    )
    .min(1, { error: `${what} is empty; give at least one name that clients use` });
const DNS_NAME = /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
const NO_ISSUER =
  "onServer.issuer must be the name of an authority (common or distinguished name), or a list of such names";
/** The name of a certification authority: its common name or its distinguished name. */
const issuerName = text("onServer.issuer")
  .max(LONGEST_PATH, { error: "onServer.issuer is too long for a name" })
  .refine(isPlainText, { error: `onServer.issuer ${NOT_PLAIN}` })
  .refine((name) => name.trim() !== "", { error: "onServer.issuer is empty; leave it out instead" });

const SHAPES = {
  thumbprint: z.strictObject({
    thumbprint: text("thumbprint").transform((given, context) => {
      const thumbprint = parseThumbprint(given);
      if (thumbprint !== undefined) return thumbprint;
      context.addIssue({
        code: "custom",
        message: `${shown(given)} isn't a thumbprint: 40 hexadecimal digits (blanks and colons between them are fine). Copy it from Get-ExchangeCertificate`,
      });
      return z.NEVER;
    }),
  }),
  pfx: z.strictObject({ pfx: text("pfx"), password: z.string({ error: "password must be a text" }).optional() }),
  pfxFile: z.strictObject({
    pfxFile: text("pfxFile").max(LONGEST_PATH, {
      error: "pfxFile is too long for a path; give the bytes of the file, encoded as base64, as pfx",
    }),
    password: z.string({ error: "password must be a text" }).optional(),
    passwordEnv: text("passwordEnv").optional(),
  }),
  pem: z.strictObject({
    pem: z.strictObject({
      certificate: text("pem.certificate"),
      privateKey: text("pem.privateKey"),
      chain: z.string({ error: "pem.chain must be a text" }).optional(),
    }),
  }),
  pemFiles: z.strictObject({
    pemFiles: z.strictObject({
      certificateFile: pathOf("pemFiles.certificateFile"),
      privateKeyFile: pathOf("pemFiles.privateKeyFile"),
      chainFile: pathOf("pemFiles.chainFile").optional(),
    }),
  }),
  onServer: z.strictObject({
    onServer: z.strictObject({
      dnsNames: dnsNames("onServer.dnsNames"),
      issuer: z.union([issuerName, z.array(issuerName).min(1, { error: NO_ISSUER })], { error: NO_ISSUER }).optional(),
      minDaysLeft: z
        .int({ error: "onServer.minDaysLeft must be a whole number of days" })
        .min(0, { error: "onServer.minDaysLeft must be at least 0" })
        .max(3650, { error: "onServer.minDaysLeft must be at most 3650 (ten years)" })
        .optional(),
    }),
  }),
  selfSigned: z.strictObject({
    selfSigned: z.strictObject({
      subject: text("selfSigned.subject")
        .refine(isPlainText, { error: `selfSigned.subject ${NOT_PLAIN}` })
        .optional(),
      dnsNames: dnsNames("selfSigned.dnsNames"),
      validityDays: z
        .int({ error: "selfSigned.validityDays must be a whole number of days" })
        .min(1, { error: "selfSigned.validityDays must be at least 1" })
        .max(3650, { error: "selfSigned.validityDays must be at most 3650 (ten years)" })
        .optional(),
      keySize: z
        .union([z.literal(2048), z.literal(3072), z.literal(4096)], {
          error: "selfSigned.keySize must be 2048, 3072 or 4096 bits",
        })
        .optional(),
    }),
  }),
} as const;

type Shape<K extends SourceKind> = z.infer<(typeof SHAPES)[K]>;

// Every part of every source is either secret or not: a new one without a word about it doesn't compile.
SOURCE_KEYS satisfies { readonly [K in SourceKind]: Readonly<Record<keyof Shape<K>, Exposure>> };

/** Sources that bring a key. */
const KEYED = ["pfx", "pfxFile", "pem", "pemFiles"] as const satisfies readonly SourceKind[];
type KeyedKind = (typeof KEYED)[number];

/**
 * What check makes of a source that brings a key: which one it was, and what is public of it. The key stays in the
 * process. The engine gives it back where it puts old inputs in the place of new ones.
 */
const FORM = z.strictObject({
  form: z.strictObject({
    of: z.enum(KEYED),
    thumbprint: z.string(),
    /** SHA-256 of the other certificates, hexadecimal. */
    chain: z.string().optional(),
    pfxFile: z.string().optional(),
    passwordEnv: z.string().optional(),
    pemFiles: SHAPES.pemFiles.shape.pemFiles.optional(),
  }),
});
type Form = z.infer<typeof FORM>["form"];

/** Reads the `certificate` input. Gives sentences for what is wrong with it; throws only when the signal fires. */
export async function readCertificateSource(
  given: unknown,
  context: SourceContext,
): Promise<{ readonly source: CertificateSource } | { readonly problems: readonly string[] }> {
  if (!isPlain(given)) {
    return { problems: [`give one of ${SOURCE_KINDS.map((source) => `{ ${source} }`).join(", ")}`] };
  }
  const raw = withoutNothing(given);
  const named = SOURCE_KINDS.filter((source) => raw[source] !== undefined);
  try {
    if (raw["form"] !== undefined) return await readForm(raw, context);
    if (named.length === 0) {
      // Of a part that ignoreChanges names, the engine finds nothing in the state, and takes it away.
      const hint = "where ignoreChanges names a part of it, name `certificate` as a whole";
      return { problems: [`no source is given; give exactly one of ${SOURCE_KINDS.join(", ")}; ${hint}`] };
    }
    const [kind, ...more] = named;
    if (kind === undefined || more.length > 0) {
      return {
        problems: [`${named.join(" and ")} are given together; give exactly one of ${SOURCE_KINDS.join(", ")}`],
      };
    }
    const shape = SHAPES[kind].safeParse(raw);
    if (!shape.success) return { problems: shape.error.issues.map(describeIssue) };
    return { source: await sourceOf(kind, shape.data, raw, context) };
  } catch (error) {
    context.signal?.throwIfAborted();
    return { problems: [messageOf(error)] };
  }
}

/** The form that an earlier check made; with the key where this process has it or the file is still there. */
async function readForm(
  raw: Readonly<Record<string, unknown>>,
  context: SourceContext,
): Promise<{ readonly source: CertificateSource } | { readonly problems: readonly string[] }> {
  const parsed = FORM.safeParse(raw);
  const thumbprint = parsed.success ? parseThumbprint(parsed.data.form.thumbprint) : undefined;
  if (!parsed.success || thumbprint === undefined) {
    return {
      problems: [
        "the certificate is half that of the state and half that of the program; with ignoreChanges name `certificate` as a whole, or nothing of it",
      ],
    };
  }
  const { form } = parsed.data;
  const material = context.kept.get(thumbprint) ?? (await readAgain(form, thumbprint, context));
  if (material !== undefined) return { source: { ...givenSource(material), normalised: raw } };
  return { source: { desired: { kind: "thumbprint", thumbprint }, material: undefined, normalised: raw } };
}

/** A file whose password, if it has one, is in the environment can be read at any time. */
async function readAgain(
  { of, pfxFile, passwordEnv, pemFiles }: Form,
  thumbprint: Thumbprint,
  context: SourceContext,
): Promise<CertificateMaterial | undefined> {
  const read = (): Promise<CertificateMaterial> | undefined => {
    if (of === "pemFiles" && pemFiles !== undefined) return readPemFiles(pemFiles, context);
    if (of !== "pfxFile" || pfxFile === undefined) return undefined;
    return readPfxFile({ pfxFile, ...(passwordEnv === undefined ? {} : { passwordEnv }) }, context);
  };
  try {
    const material = await read();
    if (material === undefined) return undefined;
    return material.facts.thumbprint === thumbprint ? material : undefined;
  } catch {
    context.signal?.throwIfAborted();
    return undefined;
  }
}

/** The form of a source that brings a key, and the key kept for whoever imports it. */
function kept(
  of: KeyedKind,
  material: CertificateMaterial,
  context: SourceContext,
  parts: Pick<Form, "pfxFile" | "passwordEnv" | "pemFiles"> = {},
): CertificateSource {
  context.kept.keep(material);
  const chain = material.chain.length === 0 ? {} : { chain: digestOf(material.chain) };
  const form: Form = { of, thumbprint: material.facts.thumbprint, ...chain, ...parts };
  return { ...givenSource(material), normalised: { form } };
}

function digestOf(chain: readonly Uint8Array[]): string {
  const all = createHash("sha256");
  for (const der of chain) all.update(der);
  return all.digest("hex");
}

/** What a program leaves open with `null` or `undefined` isn't given, in the parts of a source either. */
function withoutNothing(given: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(given)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([key, value]: [string, unknown]) => [key, isPlain(value) ? withoutNothing(value) : value]),
  );
}

function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describeIssue(issue: z.core.$ZodIssue): string {
  // A key that isn't known may be a secret put in the wrong place: the key is named, its value never.
  if (issue.code === "unrecognized_keys") return `${issue.keys.join(", ")} doesn't belong to this kind of source`;
  return issue.message;
}

async function sourceOf(
  kind: keyof typeof SHAPES,
  shape: Shape<keyof typeof SHAPES>,
  raw: Readonly<Record<string, unknown>>,
  context: SourceContext,
): Promise<CertificateSource> {
  switch (kind) {
    case "thumbprint": {
      const { thumbprint } = shape as Shape<"thumbprint">;
      return { desired: { kind: "thumbprint", thumbprint }, material: undefined, normalised: { thumbprint } };
    }
    case "pfx": {
      const { pfx, password } = shape as Shape<"pfx">;
      const options = { signal: context.signal };
      return kept(kind, await readPfx(new Secret(pfx), secretOf(password), options), context);
    }
    case "pfxFile": {
      const given = shape as Shape<"pfxFile">;
      const { pfxFile, passwordEnv } = given;
      const parts = { pfxFile, ...(passwordEnv === undefined ? {} : { passwordEnv }) };
      return kept(kind, await readPfxFile(given, context), context, parts);
    }
    case "pem": {
      const { certificate, privateKey, chain } = (shape as Shape<"pem">).pem;
      const pem = { certificate, privateKey: new Secret(privateKey), ...(chain === undefined ? {} : { chain }) };
      return kept(kind, await readPem(pem, { signal: context.signal }), context);
    }
    case "pemFiles": {
      const { pemFiles } = shape as Shape<"pemFiles">;
      return kept(kind, await readPemFiles(pemFiles, context), context, { pemFiles });
    }
    case "onServer": {
      const { onServer } = shape as Shape<"onServer">;
      const { issuer = [], minDaysLeft = 0 } = onServer;
      const wish = {
        dnsNames: onServer.dnsNames,
        issuers: typeof issuer === "string" ? [issuer] : issuer,
        minDaysLeft,
      };
      return { desired: { kind: "unknown" }, onServer: wish, material: undefined, normalised: { onServer } };
    }
    case "selfSigned": {
      const wish = wishOf((shape as Shape<"selfSigned">).selfSigned);
      const [first, ...others] = problemsOfSelfSigned(wish);
      if (first !== undefined) {
        const problems = [first, ...others].map(({ property, problem }) => `selfSigned.${property}: ${problem}`);
        throw new ExchangeBindingError("SelfSignedInvalid", problems.join("; "));
      }
      return { desired: { kind: "selfSigned", wish }, material: undefined, normalised: raw };
    }
  }
}

function wishOf(given: Shape<"selfSigned">["selfSigned"]): SelfSignedWish {
  return {
    subject: given.subject,
    dnsNames: given.dnsNames,
    validityDays: given.validityDays ?? DEFAULT_VALIDITY_DAYS,
    keySize: given.keySize ?? DEFAULT_KEY_SIZE,
  };
}

/** The wish in a stored `certificate` input, when there is one. */
export function storedWish(stored: unknown): SelfSignedWish | undefined {
  const shape = SHAPES.selfSigned.safeParse(stored);
  return shape.success ? wishOf(shape.data.selfSigned) : undefined;
}

function givenSource(material: CertificateMaterial): Pick<CertificateSource, "desired" | "material"> {
  const { facts, chain } = material;
  if (chain.length === 0) return { desired: { kind: "given", facts }, material: () => material };
  const isPublic = chainsToPublicRoot(material.der, chain) ? ({ chainsToPublicRoot: true } as const) : {};
  const desired = { kind: "given", facts, chain: chain.flatMap(namesInChain), ...isPublic } as const;
  return { desired, material: () => material };
}

async function readPfxFile(
  { pfxFile, password, passwordEnv }: Shape<"pfxFile">,
  { env, signal }: SourceContext,
): Promise<CertificateMaterial> {
  if (password !== undefined && passwordEnv !== undefined) {
    throw new ExchangeBindingError("Refused", "password and passwordEnv are given together; give one of them");
  }
  const fromEnvironment = passwordEnv === undefined ? undefined : env.environment[passwordEnv];
  if (passwordEnv !== undefined && fromEnvironment === undefined) {
    throw new ExchangeBindingError(
      "Refused",
      isUsualVariable(passwordEnv)
        ? `the environment variable ${passwordEnv}, named by passwordEnv, isn't set where Pulumi runs; set it, or give password`
        : `passwordEnv (${shown(passwordEnv, "kind")}) must be the name of an environment variable that is set where Pulumi runs; a password itself belongs into password`,
    );
  }
  const file = new Secret(await readSourceFile(pfxFile, env, signal));
  return readPfx(file, secretOf(password ?? fromEnvironment), { signal });
}

/** What lego, certbot and acme.sh write; the key is never in the program. */
async function readPemFiles(
  { certificateFile, privateKeyFile, chainFile }: Shape<"pemFiles">["pemFiles"],
  { env, signal }: SourceContext,
): Promise<CertificateMaterial> {
  const file = (path: string, part: string): Promise<Uint8Array> =>
    readSourceFile(path, env, signal, `pemFiles.${part}`);
  const [certificate, privateKey, chain] = await Promise.all([
    file(certificateFile, "certificateFile"),
    file(privateKeyFile, "privateKeyFile"),
    chainFile === undefined ? undefined : file(chainFile, "chainFile"),
  ]);
  return readPem({ certificate, privateKey: new Secret(privateKey), chain }, { signal });
}

/** None when its names can't be read: a chain is sent on as it is, whatever is in it. */
function namesInChain(der: Uint8Array): readonly ChainCertificate[] {
  try {
    const { subject, issuer, isSelfSigned } = readCertificate(der);
    return [{ subject, issuer, isSelfSigned }];
  } catch {
    return [];
  }
}

function secretOf(password: string | undefined): Secret<string> | undefined {
  return password === undefined ? undefined : new Secret(password);
}

async function readSourceFile(
  path: string,
  env: SourceEnv,
  signal: AbortSignal | undefined,
  named = "pfxFile",
): Promise<Uint8Array> {
  try {
    return await env.readFile(resolve(env.directory, path), { signal });
  } catch (cause) {
    throw new ExchangeBindingError(
      named === "pfxFile" ? "PfxUnreadable" : "PemUnreadable",
      `the file ${shown(path)}, named by ${named}, can't be read (${shownMessage(messageOf(cause), path)}); paths count from the program's directory`,
      { cause },
    );
  }
}

/** A message about a file may repeat its path, which may be a key in the wrong place. */
function shownMessage(message: string, path: string): string {
  return message.includes(path) && shown(path) !== `"${path}"` ? "there is no such file" : message;
}
