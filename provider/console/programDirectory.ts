import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** Names of a project file, in the order in which Pulumi looks for them. */
const PROJECT_FILES = ["Pulumi.yaml", "Pulumi.yml", "Pulumi.json"] as const;

/**
 * Value of `main` in a project file. YAML is read by its lines: the key stands at the left margin and its value is a
 * short path, plain or quoted, perhaps with a comment behind it. A file in JSON is YAML as well.
 */
export function mainOf(projectFile: string): string | undefined {
  if (projectFile.trimStart().startsWith("{")) {
    try {
      const parsed: unknown = JSON.parse(projectFile);
      const main = typeof parsed === "object" && parsed !== null && "main" in parsed ? parsed.main : undefined;
      return typeof main === "string" && main !== "" ? main : undefined;
    } catch {
      return undefined;
    }
  }
  const value = /^(?:main|"main"|'main')[ \t]*:[ \t]+(.*)$/m.exec(projectFile.replaceAll("\r", ""))?.[1]?.trim();
  if (value === undefined) return undefined;
  const quoted = /^"([^"]*)"/.exec(value)?.[1] ?? /^'([^']*)'/.exec(value)?.[1];
  const text = quoted ?? value.replace(/(^|[ \t])#.*$/, "").trim();
  return text === "" || text === "null" || text === "~" ? undefined : text;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function isDirectory(path: string): boolean | undefined {
  try {
    return statSync(path).isDirectory();
  } catch {
    return undefined;
  }
}

/**
 * The directory that Pulumi runs the program in: that of the nearest `Pulumi.yaml` from `start` upwards, or the one its
 * `main` names (the parent directory when that is a file, as Pulumi does it). Without a project it is `start` itself.
 */
export function programDirectory(start: string): string {
  for (let directory = resolve(start); ; directory = dirname(directory)) {
    for (const name of PROJECT_FILES) {
      const project = readIfThere(join(directory, name));
      if (project === undefined) continue;
      const main = mainOf(project);
      if (main === undefined) return directory;
      const target = resolve(directory, main);
      const found = isDirectory(target);
      if (found === undefined) return directory;
      return found ? target : dirname(target);
    }
    if (dirname(directory) === directory) return resolve(start);
  }
}
