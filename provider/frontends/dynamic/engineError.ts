import { ExchangeBindingError, messageOf } from "../../errors";

/**
 * An error in the form in which it reads well in the engine's output. The dynamic-provider server prints
 * `${error}: ${error.stack}` on the stack's row for check, diff, read and delete, besides the message it sends to the
 * engine; without this every error came twice and with a stack trace.
 */
export class EngineError extends Error {
  readonly code: string;
  /** With these three the engine keeps the resource in the state although the operation failed. */
  readonly id?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly reasons?: readonly string[];

  constructor(
    cause: unknown,
    partial?: { readonly id: string; readonly properties: Readonly<Record<string, unknown>> },
  ) {
    super(messageOf(cause));
    this.name = "ExchangeCertificateBinding";
    this.code = cause instanceof ExchangeBindingError ? cause.code : "Internal";
    this.stack = "failed; the reason is in the error of the resource";
    // Where an unexpected error came from is what a bug report needs.
    if (!(cause instanceof ExchangeBindingError) && cause instanceof Error && process.env["EXCHANGE_TRACE"] === "1") {
      this.stack = [this.stack, ...framesOf(cause)].join("\n");
    }
    if (partial !== undefined) {
      this.id = partial.id;
      this.properties = partial.properties;
      this.reasons = [this.message];
    }
  }

  override toString(): string {
    return this.name;
  }
}

/**
 * The places in an error's stack. Nothing of the message, which stands in front of them: nobody controls what others
 * write into it, and it may have lines that look like places.
 */
function framesOf({ stack = "", message }: Error): readonly string[] {
  const start = stack.indexOf(message);
  const places = start === -1 ? stack : stack.slice(start + message.length);
  return places.split("\n").filter((line) => FRAME.test(line));
}

/** `    at Deployment.look (/program/node_modules/…/deployment.js:12:34)`. */
const FRAME = /^ {4}at [^\p{Cc}\p{Cf}]{1,300}:\d+:\d+\)?$/u;
