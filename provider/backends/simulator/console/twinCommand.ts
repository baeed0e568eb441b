import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { CommandLineIo } from "../../../console/io";
import { UsageMistake } from "../../../console/usageMistake";
import { messageOf } from "../../../errors";
import { cleaned, cleanedMessage } from "../../../sentence";
import { inventorySchema, type Inventory } from "../../inventory";
import { openStateFile } from "../stateFile";
import { twinOf } from "../twin";

/**
 * `exchange-simulator init --from inventory.json`: an organisation after the likeness of the servers that
 * `exchange-certificates inventory --json` read. An existing file is never touched. Throws {@link UsageMistake}.
 */
export async function twinCommand(from: string, file: string, io: CommandLineIo): Promise<0 | 1> {
  const path = resolve(io.workingDirectory, from);
  const inventory = await readInventory(path);
  const twin = twinOf(inventory);
  if (twin === undefined)
    throw new UsageMistake(`No server of the inventory in ${path} could be read; there is nothing to make.`);
  const { organisation, leftOut, differences } = twin;
  const made: string[] = [];
  await openStateFile(file, {
    makeOrganisation: () => Promise.resolve(organisation),
    made: () => made.push(file),
  }).read();
  if (made.length === 0) {
    io.error(`There is an organisation in ${file} already; it stays as it is. Name another file with --file.`);
    return 1;
  }
  const servers = Object.keys(organisation.servers);
  io.error(
    `Made ${file}: a twin of ${servers.map((one) => cleaned(one)).join(", ")}, as they were at ${inventory.readAt}. No Exchange server is touched.`,
  );
  if (differences.length > 0) io.error("Displayed otherwise than there:");
  for (const text of differences) io.error(`  ${cleaned(text)}`);
  io.error("Left out:");
  for (const text of leftOut) io.error(`  ${cleaned(text)}`);
  return 0;
}

async function readInventory(path: string): Promise<Inventory> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new UsageMistake(`The inventory ${path} can't be read: ${cleanedMessage(messageOf(error))}`, {
      cause: error,
    });
  }
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    // The parser's own message quotes the text.
    throw new UsageMistake(`The inventory ${path} isn't JSON. ${MAKE_ONE}`, { cause: error });
  }
  const parsed = inventorySchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined ? "" : ` (${issue.path.map(String).join(".") || "the file"}: ${issue.message})`;
  throw new UsageMistake(`The file ${path} isn't an inventory${cleaned(where, 300)}. ${MAKE_ONE}`);
}

const MAKE_ONE = "Make one with: exchange-certificates inventory --server ... --json > inventory.json";
