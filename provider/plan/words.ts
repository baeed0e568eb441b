import type { ServerFqdn } from "../model";
import type { NamedCertificate } from "./planTypes";
import { daysUntil } from "./target";

/** What sentences need to know besides the plan. */
export interface TextContext {
  readonly server: ServerFqdn;
  readonly now: Date;
}

/** `A`, `A and B`, `A, B and C`. */
export function list(items: readonly string[]): string {
  if (items.length <= 1) return items.join("");
  return `${items.slice(0, -1).join(", ")} and ${items.at(-1) ?? ""}`;
}

export function days(count: number): string {
  return count === 1 ? "1 day" : `${String(count)} days`;
}

/** The day of an ISO moment: the time of day is of no use to a reader. */
export function day(moment: string): string {
  return moment.slice(0, 10);
}

/** `46 days left`, `expired 3 days ago`. */
function life(notAfter: string, now: Date): string {
  const left = daysUntil(notAfter, now);
  return left >= 0 ? `${days(left)} left` : `expired ${days(-left)} ago`;
}

/** `1234… (CN=mail.contoso.com, 46 days left)` with the thumbprint in full. */
export function withLife(certificate: NamedCertificate, now: Date): string {
  return `${certificate.thumbprint} (${certificate.subject}, ${life(certificate.notAfter, now)})`;
}
