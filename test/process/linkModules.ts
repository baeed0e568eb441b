import fs from "node:fs";
import path from "node:path";

/**
 * Lets a program in a directory find the packages in `modules`. Nothing is linked where it finds them anyhow, in a
 * directory above: Wine has no links.
 */
export function linkModules(modules: string, directory: string): void {
  if (directory.startsWith(path.dirname(modules) + path.sep)) return;
  fs.rmSync(path.join(directory, "node_modules"), { force: true });
  fs.symlinkSync(modules, path.join(directory, "node_modules"), "junction");
}
