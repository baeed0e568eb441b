/** Whether a part of a certificate source may be shown and stored. */
export type Exposure = "public" | "secret";

/**
 * The sources of a certificate and the parts of each. A part that is secret is marked as such before it leaves the
 * program, and never gets into what check returns.
 */
export const SOURCE_KEYS = {
  thumbprint: { thumbprint: "public" },
  pfx: { pfx: "secret", password: "secret" },
  pfxFile: { pfxFile: "public", password: "secret", passwordEnv: "public" },
  pem: { pem: "secret" },
  pemFiles: { pemFiles: "public" },
  onServer: { onServer: "public" },
  selfSigned: { selfSigned: "public" },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Exposure>>>>;

export type SourceKind = keyof typeof SOURCE_KEYS;
export const SOURCE_KINDS = Object.keys(SOURCE_KEYS) as readonly SourceKind[];

const EXPOSURES = new Map<string, Exposure>(Object.values(SOURCE_KEYS).flatMap((keys) => Object.entries(keys)));

/** Whether that part of a source is secret; what isn't a part of any may be anything, a password in the wrong place too. */
export function isSecretKey(key: string): boolean {
  return EXPOSURES.get(key) === "secret";
}
