import { organisationSchema, type Organisation, type ServerFaults } from "../organisation";
import { nearNames } from "../../../console/nearNames";
import { faultTexts } from "./organisationTable";

/** How the value of a fault is read from the command line. */
type FaultForm = "switch" | "number" | "text" | "list" | "delay";

interface FaultDescription {
  readonly form: FaultForm;
  /** The values beside `off`. */
  readonly values: string;
  readonly help: string;
}

function aSwitch(help: string): FaultDescription {
  return { form: "switch", values: "on", help };
}

/** Every fault there is. A record, so that a fault added to the model and forgotten here doesn't compile. */
export const FAULTS: Readonly<Record<keyof ServerFaults, FaultDescription>> = {
  unreachable: aSwitch("the server can't be asked at all"),
  servicesUnknown: aSwitch("certificates come as RawData only, without services and status"),
  slowMilliseconds: { form: "number", values: "<number>", help: "the server takes that long to answer" },
  enableFailsAfter: { form: "text", values: "<service>", help: "Enable-ExchangeCertificate fails after this service" },
  enableOrder: { form: "list", values: "<services>", help: "the order in which it deals with services" },
  enableHasNoEffectOn: { form: "list", values: "<services>", help: "it reports success, but leaves these out" },
  hiddenCmdlets: { form: "list", values: "<cmdlets>", help: "the account has no role for these" },
  directoryDelay: {
    form: "delay",
    values: "reads=<number>,milliseconds=<number>",
    help: "Active Directory shows old values for so long; one of the two will do",
  },
  privateKeyAccessRefused: aSwitch("nobody can be given a private key, so SMTP can't be enabled"),
  answersAs: { form: "text", values: "<fqdn>", help: "another server answers in this one's place" },
};

/** `slowMilliseconds <number>|off`: how a fault is switched. */
export function faultUsage(name: keyof ServerFaults): string {
  return `${name} ${FAULTS[name].values}|off`;
}

export type FaultOutcome =
  | { readonly kind: "changed"; readonly organisation: Organisation; readonly message: string }
  | { readonly kind: "shown"; readonly message: string }
  | { readonly kind: "refused"; readonly message: string };

function refused(message: string): FaultOutcome {
  return { kind: "refused", message };
}

function faultName(text: string): keyof ServerFaults | undefined {
  const names = Object.keys(FAULTS) as (keyof ServerFaults)[];
  return names.find((name) => name.toLowerCase() === text.toLowerCase());
}

function toNumber(text: string): number | string {
  return /^\s*[0-9]+\s*$/.test(text) ? Number(text) : text;
}

/** The value as it stands in the file; what makes no sense is left for the file's own check to refuse. */
function faultValue(form: FaultForm, text: string): unknown {
  switch (form) {
    case "switch":
      return /^(on|true|yes|1)$/i.test(text) ? true : text;
    case "number":
      return toNumber(text);
    case "text":
      return text;
    case "list":
      return text
        .split(",")
        .map((item) => item.trim())
        .filter((item) => item !== "");
    case "delay":
      return Object.fromEntries(
        text
          .split(",")
          .map((part) => part.split("="))
          .map(([key = "", value = ""]) => [key.trim(), toNumber(value)]),
      );
  }
}

/** The server under its FQDN or its short name. */
function findServer(organisation: Organisation, text: string): string | undefined {
  const wanted = text.toLowerCase();
  return Object.values(organisation.servers).find(({ fqdn, name }) => fqdn === wanted || name.toLowerCase() === wanted)
    ?.fqdn;
}

function withFaults(organisation: Organisation, fqdn: string, faults: unknown): FaultOutcome {
  const server = organisation.servers[fqdn];
  const checked = organisationSchema.safeParse({
    ...organisation,
    servers: { ...organisation.servers, [fqdn]: { ...server, faults } },
  });
  if (!checked.success) {
    const problems = checked.error.issues.map(({ path, message }) => `${path.slice(3).join(".")}: ${message}`);
    return refused(`That is no fault the simulator knows: ${problems.join("; ")}`);
  }
  const next = checked.data.servers[fqdn];
  const texts = next === undefined ? [] : faultTexts(next);
  const message = `${fqdn}: ${texts.length === 0 ? "no faults" : texts.join("; ")}`;
  return { kind: "changed", organisation: checked.data, message };
}

/**
 * `fault <server>` shows the faults of a server, `fault <server> <fault> <value>|off` switches one, and
 * `fault <server> off` switches them all off.
 */
export function switchFault(organisation: Organisation, words: readonly string[]): FaultOutcome {
  const [serverText, faultText, ...values] = words;
  if (serverText === undefined) {
    return refused("Which server? exchange-simulator fault <server> <fault> on|off");
  }
  const fqdn = findServer(organisation, serverText);
  const server = fqdn === undefined ? undefined : organisation.servers[fqdn];
  if (fqdn === undefined || server === undefined) {
    const known = Object.keys(organisation.servers).join(", ");
    return refused(`There is no server "${serverText}". The organisation has: ${known}`);
  }
  if (faultText === undefined) {
    const texts = faultTexts(server);
    return { kind: "shown", message: `${fqdn}: ${texts.length === 0 ? "no faults" : texts.join("; ")}` };
  }
  if (/^(off|none)$/i.test(faultText)) return withFaults(organisation, fqdn, {});
  const name = faultName(faultText);
  if (name === undefined) {
    const near = nearNames(faultText, Object.keys(FAULTS));
    const hint =
      near.length > 0 ? `Did you mean ${near.join(" or ")}?` : `There are: ${Object.keys(FAULTS).join(", ")}`;
    return refused(`There is no fault "${faultText}". ${hint}`);
  }
  const { form } = FAULTS[name];
  const value = values.join("").trim();
  if (value === "" && form !== "switch") return refused(`How much? ${faultUsage(name)}`);
  const others = Object.fromEntries(Object.entries(server.faults).filter(([key]) => key !== name));
  if (/^(off|none|false|no)$/i.test(value)) return withFaults(organisation, fqdn, others);
  return withFaults(organisation, fqdn, { ...others, [name]: value === "" ? true : faultValue(form, value) });
}
