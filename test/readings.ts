import type { CertificateMaterial } from "../provider/certificate/material";
import type { KeptMaterial, SourceEnv } from "../provider/certificateSource";
import type { InputReading } from "../provider/inputs";

/** Keys kept in a process, of one binding. */
export function keptMaterial(): KeptMaterial {
  const all = new Map<string, CertificateMaterial>();
  return {
    get: (thumbprint) => all.get(thumbprint),
    keep: (material) => all.set(material.facts.thumbprint, material),
  };
}

/** How inputs are read in a process that has checked nothing yet; no file unless given. */
export function freshReading(env: Partial<SourceEnv> = {}): InputReading {
  const kept = keptMaterial();
  return {
    env: {
      directory: "/program",
      environment: {},
      readFile: () => Promise.reject(new Error("no file is read here")),
      ...env,
    },
    keptOf: () => kept,
  };
}
