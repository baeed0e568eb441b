import { organisationSchema, type Organisation } from "./organisation";

/** More than these say nothing new: a file of another kind has them by the dozen. */
const SHOWN_PROBLEMS = 3;

/**
 * Reads the text of a simulator file.
 *
 * @throws Error that says what is wrong with it, in half a sentence
 */
export function parseOrganisation(text: string): Organisation {
  const json = parseJson(text);
  const version = typeof json === "object" && json !== null && "version" in json ? json.version : undefined;
  if (typeof version === "number" && version !== 1) {
    throw new Error(`it has version ${version} of the form, and this release reads version 1`);
  }
  const parsed = organisationSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `${issue.path.map(String).join(".") || "the file"}: ${issue.message}`,
  );
  const more = problems.length - SHOWN_PROBLEMS;
  const shown = problems.slice(0, SHOWN_PROBLEMS).join("; ");
  throw new Error(`it isn't a simulated organisation (${shown}${more > 0 ? `; and ${more} more` : ""})`);
}

/** Editors on Windows put a byte order mark in front. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw new Error(text.trim() === "" ? "it is empty" : "it isn't JSON", { cause });
  }
}
