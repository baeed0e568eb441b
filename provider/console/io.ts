/** What the command needs of the terminal and the machine, so that its tests can stand in for both. */
export interface CommandLineIo {
  /** Absolute path. */
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Writes a text and a line break to standard output. */
  readonly out: (text: string) => void;
  /** Writes a text and a line break to standard error. */
  readonly error: (text: string) => void;
  /** Whether somebody is there to answer. */
  readonly isInteractive: boolean;
  /** Shows a prompt and returns the line that is typed; `undefined` when the input ends. `hidden` shows nothing of it. */
  readonly ask: (prompt: string, options?: { readonly hidden: boolean }) => Promise<string | undefined>;
  /** Everything on standard input. */
  readonly readStandardInput: () => Promise<string>;
  /** Resolves when whoever runs the command wants it to end: Ctrl-C, or a signal to end. */
  readonly interrupted: () => Promise<void>;
}
