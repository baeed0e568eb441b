/** A mistake of whoever typed the command: told in a sentence, exit code 2. */
export class UsageMistake extends Error {}
