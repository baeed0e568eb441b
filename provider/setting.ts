import { ExchangeBindingError, isBindingError } from "./errors";
import { isPlainText, shown } from "./shownValue";

/** A value of the configuration as it was written, and the key or variable that it stands in. */
export interface Setting {
  readonly value: string;
  readonly from: string;
}

/** What people write where true or false is expected. */
const NEARLY_FLAG = /^(?:[ynjtf]|yes|no|on|off|enabled?|disabled?|none|null|undefined|-?\d{1,2})$/i;
/** Numbers in other forms, with a unit or out of range. */
const NEARLY_NUMBER = /^[+-]?[\d.,]{1,7}(?:e\d{1,2})?\s?(?:s|m|h|ms|sec|min|seconds|minutes|%)?$/i;

/**
 * A setting for a message: as it is where it has the form of what is usually written there, otherwise by its kind and
 * length. It may be a password or a key in the wrong place.
 */
export function shownSetting(value: string, plausible: RegExp): string {
  return shown(value, plausible.test(value.trim()) ? "value" : "kind");
}

/** A path as it was written. Throws `ConfigurationInvalid` for what can't be one: a key, or a whole file. */
export function readPath(setting: Setting): string {
  const path = setting.value.trim();
  if (path.length <= LONGEST_PATH && isPlainText(path) && !path.includes("-----")) return path;
  throw settingRefused(`${setting.from} holds ${shown(path, "kind")}, which isn't a path. Give the path of the file.`);
}

const LONGEST_PATH = 1024;

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
      throw settingRefused(
        `${setting?.from ?? ""} is ${shownSetting(setting?.value ?? "", NEARLY_FLAG)}; it may be true or false.`,
      );
  }
}

/** From 1 to `most`. Throws `ConfigurationInvalid`. */
export function readWholeNumber(setting: Setting | undefined, fallback: number, most: number): number {
  if (setting === undefined) return fallback;
  const { value, from } = setting;
  const number = /^\d{1,6}$/.test(value.trim()) ? Number(value) : 0;
  if (number >= 1 && number <= most) return number;
  throw settingRefused(
    `${from} is ${shownSetting(value, NEARLY_NUMBER)}; it may be a whole number from 1 to ${most} (default ${fallback}).`,
  );
}

/**
 * Reads several settings, each by `attempt`, which gives the fallback for one that can't be read. Throws one
 * `ConfigurationInvalid` about all of those in the end.
 */
export function readingAll<T>(read: (attempt: <V>(one: () => V, fallback: V) => V) => T): T {
  const problems: ExchangeBindingError[] = [];
  const result = read((one, fallback) => {
    try {
      return one();
    } catch (error) {
      if (!isBindingError(error, "ConfigurationInvalid")) throw error;
      problems.push(error);
      return fallback;
    }
  });
  const [first, ...more] = problems;
  if (first === undefined) return result;
  if (more.length === 0) throw first;
  throw settingRefused(problems.map(({ facts, message }) => String(facts["problem"] ?? message)).join(" "));
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
