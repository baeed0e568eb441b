import { resolve } from "node:path";
import { z } from "zod";

import type { CertificateMaterial } from "./certificate/material";
import { readPem, readPfx } from "./certificate/readMaterial";
import { readCertificate } from "./certificate/readCertificate";
import { problemsOfSelfSigned } from "./certificate/selfSigned";
import type { SourceFileLimits } from "./certificate/sourceFile";
import { parseThumbprint } from "./certificate/thumbprint";
import { ExchangeBindingError, messageOf } from "./errors";
import type { DesiredCertificate, SelfSignedWish } from "./plan/desired";
import { Secret } from "./secret";

/** What reading a source takes from outside. */
export interface SourceEnv {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string, limits: SourceFileLimits) => Promise<Uint8Array>;
}

/** A certificate source, read. */
export interface CertificateSource {
  readonly desired: DesiredCertificate;
  readonly material: (() => CertificateMaterial) | undefined;
  /** What the state stores: the source as given, a thumbprint in its normal form. */
  readonly normalised: Readonly<Record<string, unknown>>;
}

const DEFAULT_VALIDITY_DAYS = 365;
const DEFAULT_KEY_SIZE = 2048;

const SOURCES = ["thumbprint", "pfx", "pfxFile", "pem", "selfSigned"] as const;

/** Something longer isn't repeated in a message: it may be a PFX or a key in the wrong place. */
const LONGEST_PASTED_THUMBPRINT = 120;
const LONGEST_PATH = 1024;
/** Something else isn't repeated either: it may be the password itself. */
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const text = (what: string) => z.string({ error: `${what} must be a text` }).min(1, { error: `${what} is empty` });
const dnsName = z
  .string({ error: "selfSigned.dnsNames must be a list of DNS names" })
  .transform((name) => name.trim().toLowerCase())
  .refine(
    (name) => /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(name),
    {
      error: (issue) => `selfSigned.dnsNames: "${String(issue.input)}" isn't a DNS name`,
    },
  );

const SHAPES = {
  thumbprint: z.strictObject({
    thumbprint: text("thumbprint").transform((given, context) => {
      const thumbprint = parseThumbprint(given);
      if (thumbprint !== undefined) return thumbprint;
      context.addIssue({
        code: "custom",
        message: `${given.length > LONGEST_PASTED_THUMBPRINT ? "the text" : `"${given}"`} isn't a thumbprint: 40 hexadecimal digits (blanks and colons between them are fine). Copy it from Get-ExchangeCertificate`,
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
  selfSigned: z.strictObject({
    selfSigned: z.strictObject({
      subject: text("selfSigned.subject").optional(),
      dnsNames: z.array(dnsName, { error: "selfSigned.dnsNames must be a list of DNS names" }).min(1, {
        error: "selfSigned.dnsNames is empty; give at least one name that clients use",
      }),
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

/**
 * Reads the `certificate` input. Returns sentences for what is wrong with it.
 *
 * @throws the reason of the signal, nothing else
 */
export async function readCertificateSource(
  given: unknown,
  env: SourceEnv,
  signal?: AbortSignal,
): Promise<{ readonly source: CertificateSource } | { readonly problems: readonly string[] }> {
  if (!isPlain(given)) {
    return { problems: [`give one of ${SOURCES.map((source) => `{ ${source} }`).join(", ")}`] };
  }
  const raw = withoutNothing(given);
  const named = SOURCES.filter((source) => raw[source] !== undefined);
  if (named.length === 0) {
    return { problems: [`no source is given; give exactly one of ${SOURCES.join(", ")}`] };
  }
  const [kind, ...more] = named;
  if (kind === undefined || more.length > 0) {
    return { problems: [`${named.join(" and ")} are given together; give exactly one of ${SOURCES.join(", ")}`] };
  }
  const shape = SHAPES[kind].safeParse(raw);
  if (!shape.success) return { problems: shape.error.issues.map(describeIssue) };
  try {
    return { source: await sourceOf(kind, shape.data, raw, { ...env, signal }) };
  } catch (error) {
    signal?.throwIfAborted();
    return { problems: [messageOf(error)] };
  }
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

type Shape<K extends keyof typeof SHAPES> = z.infer<(typeof SHAPES)[K]>;

async function sourceOf(
  kind: keyof typeof SHAPES,
  shape: Shape<keyof typeof SHAPES>,
  raw: Readonly<Record<string, unknown>>,
  env: SourceEnv & { readonly signal: AbortSignal | undefined },
): Promise<CertificateSource> {
  const { signal } = env;
  switch (kind) {
    case "thumbprint": {
      const { thumbprint } = shape as Shape<"thumbprint">;
      return { desired: { kind: "thumbprint", thumbprint }, material: undefined, normalised: { thumbprint } };
    }
    case "pfx": {
      const { pfx, password } = shape as Shape<"pfx">;
      return givenSource(await readPfx(new Secret(decodeBase64(pfx)), secretOf(password), { signal }), raw);
    }
    case "pfxFile": {
      const { pfxFile, password, passwordEnv } = shape as Shape<"pfxFile">;
      if (password !== undefined && passwordEnv !== undefined) {
        throw new ExchangeBindingError("Refused", "password and passwordEnv are given together; give one of them");
      }
      const fromEnvironment = passwordEnv === undefined ? undefined : env.environment[passwordEnv];
      if (passwordEnv !== undefined && fromEnvironment === undefined) {
        throw new ExchangeBindingError(
          "Refused",
          VARIABLE_NAME.test(passwordEnv)
            ? `the environment variable ${passwordEnv}, named by passwordEnv, isn't set where Pulumi runs; set it, or give password`
            : "passwordEnv must be the name of an environment variable; a password itself belongs into password",
        );
      }
      const file = new Secret(await readSourceFile(pfxFile, env));
      return givenSource(await readPfx(file, secretOf(password ?? fromEnvironment), { signal }), raw);
    }
    case "pem": {
      const { certificate, privateKey, chain } = (shape as Shape<"pem">).pem;
      const pem = { certificate, privateKey: new Secret(privateKey), ...(chain === undefined ? {} : { chain }) };
      return givenSource(await readPem(pem, { signal }), raw);
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

function givenSource(material: CertificateMaterial, raw: Readonly<Record<string, unknown>>): CertificateSource {
  const { facts, chain } = material;
  const issuers = chain.length === 0 ? {} : { chainIssuers: chain.flatMap(issuersOf) };
  return { desired: { kind: "given", facts, ...issuers }, material: () => material, normalised: raw };
}

/** None when its names can't be read: a chain is sent on as it is, whatever is in it. */
function issuersOf(der: Uint8Array): readonly string[] {
  try {
    return [readCertificate(der).issuer];
  } catch {
    return [];
  }
}

function secretOf(password: string | undefined): Secret<string> | undefined {
  return password === undefined ? undefined : new Secret(password);
}

function decodeBase64(given: string): Uint8Array {
  const bare = given.replace(/\s+/g, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(bare)) {
    throw new ExchangeBindingError(
      "PfxUnreadable",
      "pfx isn't base64; give the bytes of the file encoded as base64, or its path as pfxFile",
    );
  }
  return Buffer.from(bare, "base64");
}

async function readSourceFile(
  path: string,
  { directory, readFile, signal }: SourceEnv & { readonly signal: AbortSignal | undefined },
): Promise<Uint8Array> {
  try {
    return await readFile(resolve(directory, path), { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new ExchangeBindingError(
      "PfxUnreadable",
      `the file ${path}, named by pfxFile, can't be read (${messageOf(cause)}); paths count from the program's directory`,
      { cause },
    );
  }
}
