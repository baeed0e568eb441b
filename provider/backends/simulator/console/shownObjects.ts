import { table } from "../../../console/table";
import { nearNames } from "../../../console/nearNames";
import type { CmdletObject } from "../cmdlet";
import type { View } from "./commandText";
import { formatList, formatValue } from "./formatList";
import { type DisplayedService, SERVICES_BY_FLAG } from "../../../model";

/** What a cmdlet returned, as text, and what was asked for and isn't there. */
export interface ShownObjects {
  readonly text: string;
  readonly warnings: readonly string[];
}

/** So many properties PowerShell shows as a table when they are selected; more of them as a list. */
const MOST_COLUMNS = 4;

/**
 * Objects as a shell shows them: certificates as the table of the Exchange Management Shell, others as a list, unless a
 * view was asked for.
 */
export function shownObjects(objects: readonly CmdletObject[], view: View | undefined): ShownObjects {
  const { objects: selected, warnings } = selectProperties(objects, view?.properties ?? []);
  const isNamed = view !== undefined && view.properties.length > 0;
  const isTable =
    view === undefined
      ? objects.every(isCertificate)
      : view.kind === "table" ||
        (view.kind === "select" && (isNamed ? view.properties.length <= MOST_COLUMNS : objects.every(isCertificate)));
  if (!isTable) return { text: formatList(selected), warnings };
  return { text: formatTable(isNamed ? selected : selected.map(usualColumns)), warnings };
}

/** The objects with these properties alone, in this order; case doesn't count. None named: the objects as they are. */
export function selectProperties(
  objects: readonly CmdletObject[],
  names: readonly string[],
): { readonly objects: readonly CmdletObject[]; readonly warnings: readonly string[] } {
  if (names.length === 0 || objects.length === 0) return { objects, warnings: [] };
  const known = [...new Set(objects.flatMap((object) => Object.keys(object)))];
  const wanted = names.map((name) => ({
    name,
    key: known.find((one) => one.toLowerCase() === name.toLowerCase()),
  }));
  const warnings = wanted.flatMap(({ name, key }) => {
    if (key !== undefined) return [];
    const near = nearNames(name, known);
    const hint = near.length > 0 ? ` Did you mean ${near.join(" or ")}?` : ` There are: ${known.join(", ")}.`;
    return [`There is no property ${name} here.${hint}`];
  });
  return {
    objects: objects.map((object) =>
      Object.fromEntries(
        wanted.map(({ name, key }) => [key ?? name, key === undefined ? null : (object[key] ?? null)]),
      ),
    ),
    warnings,
  };
}

function isCertificate(object: CmdletObject): boolean {
  return "RawData" in object && "Thumbprint" in object;
}

/** The columns of the Exchange Management Shell for certificates; for others everything that fits into a cell. */
function usualColumns(object: CmdletObject): CmdletObject {
  if (!isCertificate(object)) {
    return Object.fromEntries(Object.entries(object).filter(([, value]) => !(value instanceof Uint8Array)));
  }
  const { Thumbprint, Services, Subject } = object;
  return {
    Thumbprint: Thumbprint ?? null,
    Services: typeof Services === "string" ? shortServices(Services) : null,
    Subject: Subject ?? null,
  };
}

/**
 * `IP.WS..`, one place for each service. Seen in the tables of real shells were I, P, W, S and F; the letters of UM and
 * its call router are ours.
 */
export function shortServices(services: string): string {
  const shown = services.split(", ");
  return SERVICES_BY_FLAG.map((name) => (shown.includes(name) ? LETTERS[name] : ".")).join("");
}

const LETTERS: Readonly<Record<DisplayedService, string>> = {
  IMAP: "I",
  POP: "P",
  UM: "U",
  IIS: "W",
  SMTP: "S",
  Federation: "F",
  UMCallRouter: "C",
};

function formatTable(objects: readonly CmdletObject[]): string {
  const names = [...new Set(objects.flatMap((object) => Object.keys(object)))];
  return table([
    names,
    names.map((name) => "-".repeat(name.length)),
    ...objects.map((object) => names.map((name) => formatValue(object[name] ?? null))),
  ]).join("\n");
}
