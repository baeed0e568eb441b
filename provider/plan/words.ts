import type { ServerFqdn } from "../model";
import { joined, sentence } from "../sentence";
import type { Sentence } from "../sentence";
import type { CertificateRef, NamedCertificate } from "./planTypes";
import { daysUntil } from "./days";

/** What sentences need to know besides the plan. */
export interface TextContext {
  readonly server: ServerFqdn;
  readonly now: Date;
}

/** `A`, `A and B`, `A, B and C`. */
export function list(items: readonly string[]): Sentence {
  const parts = items.map((item) => sentence`${item}`);
  const [last] = parts.slice(-1);
  if (last === undefined || parts.length === 1) return last ?? sentence``;
  return joined([joined(parts.slice(0, -1), ", "), last], " and ");
}

/** The first of many, and how many more there are. */
export function listOfFew(items: readonly string[], few = 8): Sentence {
  if (items.length <= few) return list(items);
  return sentence`${items.slice(0, few).join(", ")} and ${items.length - few} more`;
}

export function days(count: number): Sentence {
  return count === 1 ? sentence`1 day` : sentence`${count} days`;
}

const HOUR_MS = 60 * 60 * 1000;
/** Below it the day alone says too little. */
const HOURS_MATTER_MS = 48 * HOUR_MS;

/** The day of an ISO moment; with time and zone where it is less than two days away. */
export function day(moment: string, now?: Date): Sentence {
  const isNear = now !== undefined && Math.abs(Date.parse(moment) - now.getTime()) < HOURS_MATTER_MS;
  return isNear ? sentence`${moment.slice(0, 10)} ${moment.slice(11, 16)} UTC` : sentence`${moment.slice(0, 10)}`;
}

/** How long it is until a moment, or since it: `46 days`, `3 hours`, `less than an hour`. */
export function span(moment: string, now: Date): Sentence {
  const distance = Math.abs(Date.parse(moment) - now.getTime());
  if (distance >= HOURS_MATTER_MS) return days(Math.abs(daysUntil(moment, now)));
  const hours = Math.floor(distance / HOUR_MS);
  if (hours === 0) return sentence`less than an hour`;
  return hours === 1 ? sentence`1 hour` : sentence`${hours} hours`;
}

/** `46 days left`, `3 hours left, until 2026-11-28 23:10 UTC`, `expired 3 days ago`. */
function life(notAfter: string | undefined, now: Date): Sentence {
  if (notAfter === undefined) return sentence`its dates unknown`;
  const end = Date.parse(notAfter);
  if (end <= now.getTime()) return sentence`expired ${span(notAfter, now)} ago`;
  return end - now.getTime() < HOURS_MATTER_MS
    ? sentence`${span(notAfter, now)} left, until ${day(notAfter, now)}`
    : sentence`${span(notAfter, now)} left`;
}

/** The first eight digits, which is what people compare. */
export function short(thumbprint: string): Sentence {
  return sentence`${thumbprint.slice(0, 8)}`;
}

/** `1A2B3C4D (mail.contoso.com)`. */
export function named({ thumbprint, name }: NamedCertificate): Sentence {
  return sentence`${short(thumbprint)} (${name})`;
}

/** `1A2B3C4D (mail.contoso.com, 46 days left)`. */
export function withLife({ thumbprint, name, notAfter }: NamedCertificate, now: Date): Sentence {
  return sentence`${short(thumbprint)} (${name}, ${life(notAfter, now)})`;
}

/** The certificate by all that tells it from others, its thumbprint in full: once in a group of lines. */
export function inFull(certificate: NamedCertificate, now: Date): Sentence {
  const { thumbprint, subject, issuer, name, notAfter } = certificate;
  if (notAfter === undefined) return sentence`${thumbprint}, which can't be read`;
  const of = subject === "" ? sentence`${name}, without a subject` : subject;
  const by = issuer === subject ? sentence`self-signed` : sentence`issued by ${issuer}`;
  return sentence`${thumbprint}: ${of}; ${by}; ${life(notAfter, now)}, until ${day(notAfter)}`;
}

/** A certificate that a step is about. */
export function refInShort(ref: CertificateRef): Sentence {
  switch (ref.kind) {
    case "known":
      return short(ref.thumbprint);
    case "made":
      return sentence`the new certificate`;
    case "unknown":
      return sentence`the new certificate, once it is issued`;
  }
}
