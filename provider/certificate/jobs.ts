import type { KeyObject } from "node:crypto";

import type { ErrorCode, ErrorFacts } from "../errors";
import { ExchangeBindingError, isBindingError } from "../errors";
import { Secret } from "../secret";
import type { Authorities } from "./authorities";
import { authoritiesIn } from "./authorities";
import type { CertificateFacts } from "./facts";
import type { CertificateMaterial, MaterialNotice } from "./material";
import type { Given } from "./pem";
import { readPemHere } from "./pem";
import { readPfxHere } from "./pfx";

/** What the thread is asked: plain data, secrets in clear, because that is all that passes between threads. */
export type Job =
  | { readonly kind: "pfx"; readonly file: Given; readonly password: string | undefined }
  | { readonly kind: "authorities"; readonly file: Uint8Array }
  | {
      readonly kind: "pem";
      readonly certificate: Given;
      readonly privateKey: Given;
      readonly chain: Given | undefined;
    };

/** What asks for a certificate with its key. */
export type MaterialJob = Exclude<Job, { readonly kind: "authorities" }>;

export type Answer =
  | {
      readonly kind: "material";
      readonly der: Uint8Array;
      readonly facts: CertificateFacts;
      readonly chain: readonly Uint8Array[];
      readonly key: KeyObject;
      readonly notices: readonly MaterialNotice[];
    }
  | { readonly kind: "authorities"; readonly authorities: Authorities }
  | { readonly kind: "refused"; readonly code: ErrorCode; readonly message: string; readonly facts: ErrorFacts };

/** Does one job. Throws only what is a mistake of this package. */
export function answerOf(job: Job): Answer {
  if (job.kind === "authorities") return { kind: "authorities", authorities: authoritiesIn(job.file) };
  try {
    const { der, facts, chain, privateKey, notices } = read(job);
    return { kind: "material", der, facts, chain, key: privateKey.reveal(), notices };
  } catch (error) {
    if (!isBindingError(error)) throw error;
    return { kind: "refused", code: error.code, message: error.message, facts: error.facts };
  }
}

function read(job: MaterialJob): CertificateMaterial {
  switch (job.kind) {
    case "pfx":
      return readPfxHere(new Secret(job.file), job.password === undefined ? undefined : new Secret(job.password));
    case "pem":
      return readPemHere({ certificate: job.certificate, privateKey: new Secret(job.privateKey), chain: job.chain });
  }
}

/** What an answer means. @throws ExchangeBindingError the refusal that it tells of */
export function materialOf(answer: Answer): CertificateMaterial {
  if (answer.kind === "authorities") throw new Error("authorities were read, and no certificate with its key");
  if (answer.kind === "refused") throw new ExchangeBindingError(answer.code, answer.message, { facts: answer.facts });
  const { der, facts, chain, key, notices } = answer;
  return {
    // Copies: what comes from another thread has classes of its own where code runs in a context of its own.
    der: new Uint8Array(der),
    facts,
    chain: chain.map((one) => new Uint8Array(one)),
    privateKey: new Secret(key),
    notices,
  };
}
