import { DAY_MS } from "../model";

/** Whole days until the moment, rounded down; negative afterwards. */
export function daysUntil(moment: string, now: Date): number {
  return Math.floor((Date.parse(moment) - now.getTime()) / DAY_MS);
}
