import { ExchangeBindingError } from "./errors";

/** A value of the configuration as it was written, and the key or variable that it stands in. */
export interface Setting {
  readonly value: string;
  readonly from: string;
}

/** `undefined` is false. Throws `ConfigurationInvalid`. */
export function readFlag(setting: Setting | undefined): boolean {
  switch (setting?.value.trim().toLowerCase()) {
    case undefined:
    case "false":
    case "0":
      return false;
    case "true":
    case "1":
      return true;
    default:
      throw settingRefused(`${setting?.from ?? ""} is "${setting?.value ?? ""}"; it may be true or false.`);
  }
}

/** From 1 to `most`. Throws `ConfigurationInvalid`. */
export function readWholeNumber(setting: Setting | undefined, fallback: number, most: number): number {
  if (setting === undefined) return fallback;
  const { value, from } = setting;
  const number = /^\d{1,6}$/.test(value.trim()) ? Number(value) : 0;
  if (number >= 1 && number <= most) return number;
  throw settingRefused(`${from} is "${value}"; it may be a whole number from 1 to ${most} (default ${fallback}).`);
}

/** The error about a setting. `message` names the key, what it held (no secret) and what it may hold. */
export function settingRefused(message: string, cause?: unknown): ExchangeBindingError {
  return new ExchangeBindingError("ConfigurationInvalid", `Reading the configuration: ${message}`, {
    facts: { problem: message },
    cause,
  });
}

/** The error about settings that can each be read, but don't do together or in this place. */
export function configurationInvalid(message: string, cause?: unknown): ExchangeBindingError {
  return new ExchangeBindingError("ConfigurationInvalid", message, { cause });
}
