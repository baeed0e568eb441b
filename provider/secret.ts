import { inspect } from "node:util";

const REDACTED = "[redacted]";

/**
 * A value that prints itself as `[redacted]` wherever it is printed: string conversion, JSON, `console.log`,
 * `util.inspect`, template literals. The value leaves only through {@link Secret.reveal}, so that every place that
 * uses it can be found by searching for that word.
 */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The clear value. Never put it into a message, a log line, an argument list or an error. */
  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
