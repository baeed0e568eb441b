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
    // The whole stack of an unexpected error is what a bug report needs; it holds no secrets, only our own frames.
    if (!(cause instanceof ExchangeBindingError) && cause instanceof Error && process.env["EXCHANGE_TRACE"] === "1") {
      this.stack = cause.stack ?? this.stack;
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
