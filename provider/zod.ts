/*
 * What is used here of zod. In lib/ this is one file with all that is behind it: the package loads its messages in
 * sixty languages, which takes as long as all of our own code at each start of a process.
 */

export {
  NEVER,
  array,
  base64,
  boolean,
  discriminatedUnion,
  enum,
  int,
  intersection,
  iso,
  literal,
  number,
  object,
  record,
  strictObject,
  string,
  union,
} from "zod";
export type { ZodType, core, infer } from "zod";
