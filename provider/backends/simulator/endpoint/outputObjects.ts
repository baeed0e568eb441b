import {
  boolean,
  bytes,
  type ClixmlValue,
  enumValue,
  int32,
  list,
  NIL,
  object,
  propertyBag,
  string,
} from "../../../remoting/clixml/types";
import { CERTIFICATE_STATUSES, DISPLAYED_SERVICES, SERVICES } from "../../../model";
import { factsOf } from "../derFacts";
import type { CmdletObject, CmdletOutputValue } from "../cmdlet";
import { serializeCertificate, signSerialized } from "./serializationData";

/** How objects are sent in a session. */
export interface OutputForm {
  /** `serializationLevel=Full` in the URL: values keep their types, and certificates have SerializationData. */
  readonly isFull: boolean;
  readonly signing: "none" | "valid" | "invalid";
  /** Of the Auth certificate. */
  readonly authThumbprint: string;
  readonly utcOffsetMinutes: number;
}

const TASKS = "Microsoft.Exchange.Management.SystemConfigurationTasks";
const CERTIFICATE_TYPES = [
  `${TASKS}.ExchangeCertificate`,
  "System.Security.Cryptography.X509Certificates.X509Certificate2",
  "System.Security.Cryptography.X509Certificates.X509Certificate",
  "System.Object",
];

/** Types of what the other cmdlets return, as far as they are known; nothing may be read from them. */
const CONFIGURATION = "Microsoft.Exchange.Data.Directory.SystemConfiguration";
const TYPES: Readonly<Record<string, string>> = {
  "get-exchangeserver": "Microsoft.Exchange.Data.Directory.Management.ExchangeServer",
  "get-transportservice": "Microsoft.Exchange.Data.Directory.Management.TransportServer",
  "get-imapsettings": `${CONFIGURATION}.Imap4AdConfiguration`,
  "get-popsettings": `${CONFIGURATION}.Pop3AdConfiguration`,
  "get-sendconnector": `${CONFIGURATION}.SmtpSendConnectorConfig`,
  "get-receiveconnector": `${CONFIGURATION}.ReceiveConnector`,
  "get-authconfig": `${CONFIGURATION}.AuthConfig`,
  "get-federationtrust": `${CONFIGURATION}.FederationTrust`,
};

/** `RootCAType`; the index is the enum's number. 0 and 3 were measured, the others follow the documented order. */
const ROOT_CA_TYPES = ["None", "ThirdParty", "Enterprise", "Registry", "GroupPolicy", "Unknown"];

function typesOf(cmdlet: string): readonly string[] {
  if (isCertificateCmdlet(cmdlet)) return CERTIFICATE_TYPES;
  const type = TYPES[cmdlet.toLowerCase()];
  return type === undefined ? ["System.Object"] : [type, "System.Object"];
}

function isCertificateCmdlet(cmdlet: string): boolean {
  return cmdlet.toLowerCase().endsWith("-exchangecertificate");
}

/** What a cmdlet returned, as PIPELINE_OUTPUT carries it. */
export function outputValue(cmdlet: string, output: CmdletObject, form: OutputForm): ClixmlValue {
  if (isCertificateCmdlet(cmdlet)) return certificateValue(output, form);
  const identity = output["Identity"];
  return object({
    typeNames: typesOf(cmdlet),
    display: typeof identity === "string" ? identity : undefined,
    adapted: new Map(Object.entries(output).map(([name, value]) => [name, propertyValue(name, value, form)])),
  });
}

/** What Select-Object makes of it. Properties that aren't there are null; note properties keep the types of values. */
export function selectedValue(
  cmdlet: string,
  output: CmdletObject,
  properties: readonly string[],
  form: OutputForm,
): ClixmlValue {
  const whole = isCertificateCmdlet(cmdlet) ? { ...x509Properties(output), ...output } : output;
  const names = properties.flatMap((property) => (property === "*" ? Object.keys(whole) : [property]));
  const byName = new Map(Object.entries(whole).map((property) => [property[0].toLowerCase(), property]));
  const typed = { ...form, isFull: true };
  const extended = new Map<string, ClixmlValue>();
  for (const name of names) {
    const found = byName.get(name.toLowerCase());
    extended.set(found?.[0] ?? name, found === undefined ? NIL : propertyValue(found[0], found[1], typed));
  }
  const [first = "System.Object"] = typesOf(cmdlet);
  return object({
    typeNames: [`Selected.${first}`, "System.Management.Automation.PSCustomObject", "System.Object"],
    extended,
  });
}

/**
 * An ExchangeCertificate: of its properties RawData alone is sent; everything else is in SerializationData, which only
 * sessions with full serialisation get.
 */
function certificateValue(output: CmdletObject, form: OutputForm): ClixmlValue {
  const der = derOf(output);
  const extended = new Map<string, ClixmlValue>();
  if (form.isFull && "Services" in output) extended.set("SerializationData", bytes(serialized(output, der, form)));
  return object({
    typeNames: CERTIFICATE_TYPES,
    display: certificateText(der, form),
    adapted: new Map([["RawData", bytes(der)]]),
    extended,
  });
}

function derOf(output: CmdletObject): Uint8Array {
  const der = output["RawData"];
  return der instanceof Uint8Array ? der : new Uint8Array();
}

function serialized(output: CmdletObject, der: Uint8Array, form: OutputForm): Uint8Array {
  const text = (name: string): string => {
    const value = output[name];
    return typeof value === "string" ? value : "";
  };
  const size = output["PublicKeySize"];
  const sites = output["IISServices"];
  const payload = serializeCertificate({
    der,
    friendlyName: text("FriendlyName"),
    hasPrivateKey: output["HasPrivateKey"] === true,
    keySizeBits: typeof size === "number" ? size : 0,
    isSelfSigned: output["IsSelfSigned"] === true,
    status: CERTIFICATE_STATUSES.findIndex((status) => status === text("Status")),
    rootCaType: ROOT_CA_TYPES.indexOf(text("RootCAType")),
    services: servicesNumber(text("Services")),
    iisServices: Array.isArray(sites) ? sites.map(String) : [],
    privateKeyExportable: output["PrivateKeyExportable"] === true,
    identity: text("Identity"),
  });
  return form.signing === "none" ? payload : signSerialized(payload, form.signing, form.authThumbprint);
}

function servicesNumber(services: string): number {
  const names = services.split(", ");
  return DISPLAYED_SERVICES.reduce((sum, name) => (names.includes(name) ? sum + SERVICES[name].flag : sum), 0);
}

/** What .NET itself knows of a certificate, when Exchange says nothing. */
function x509Properties(output: CmdletObject): CmdletObject {
  const facts = factsOf(Buffer.from(derOf(output)).toString("base64"));
  return {
    Thumbprint: facts.thumbprint,
    Subject: facts.subject,
    Issuer: facts.issuer,
    SerialNumber: facts.serialNumber,
    NotBefore: new Date(facts.notBefore),
    NotAfter: new Date(facts.notAfter),
  };
}

/** ToString of an X509Certificate2. */
function certificateText(der: Uint8Array, form: OutputForm): string {
  const facts = factsOf(Buffer.from(der).toString("base64"));
  const parts: readonly (readonly [string, string])[] = [
    ["Subject", facts.subject],
    ["Issuer", facts.issuer],
    ["Serial Number", facts.serialNumber],
    ["Not Before", localTime(new Date(facts.notBefore), form)],
    ["Not After", localTime(new Date(facts.notAfter), form)],
    ["Thumbprint", facts.thumbprint],
  ];
  return parts.map(([name, value]) => `[${name}]\r\n  ${value}\r\n`).join("\r\n");
}

/** `12/03/2019 14:45:58`, in the server's time zone. */
function localTime(date: Date, form: OutputForm): string {
  const [day = "", time = ""] = shifted(date, form).split("T");
  const [year = "", month = "", dayOfMonth = ""] = day.split("-");
  return `${month}/${dayOfMonth}/${year} ${time.slice(0, 8)}`;
}

function shifted(date: Date, { utcOffsetMinutes }: OutputForm): string {
  return new Date(date.getTime() + utcOffsetMinutes * 60_000).toISOString();
}

/** A local time with its offset, as .NET writes one. */
function dateValue(date: Date, form: OutputForm): ClixmlValue {
  const two = (value: number): string => String(value).padStart(2, "0");
  const minutes = Math.abs(form.utcOffsetMinutes);
  const sign = form.utcOffsetMinutes < 0 ? "-" : "+";
  const offset = `${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  return { kind: "DT", value: `${shifted(date, form).slice(0, 19)}${offset}` };
}

/**
 * One property. What isn't a primitive of PowerShell's comes as its text, because remote objects are one level deep;
 * with full serialisation, and behind Select-Object, it keeps its type.
 */
function propertyValue(name: string, value: CmdletOutputValue, form: OutputForm): ClixmlValue {
  if (typeof value === "string") return (form.isFull ? typedText(name, value) : undefined) ?? string(value);
  if (typeof value === "number") return int32(value);
  if (typeof value === "boolean") return boolean(value);
  if (value === null) return NIL;
  if (value instanceof Date) return dateValue(value, form);
  if (value instanceof Uint8Array) return bytes(value);
  if (isList(value)) return list(value.map((item) => listItem(name, item, form)));
  return propertyBag(
    Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, propertyValue(key, inner, form)])),
  );
}

function isList(
  value: readonly CmdletOutputValue[] | { readonly [key: string]: CmdletOutputValue },
): value is readonly CmdletOutputValue[] {
  return Array.isArray(value);
}

function listItem(name: string, item: CmdletOutputValue, form: OutputForm): ClixmlValue {
  if (form.isFull && name === "CertificateDomains" && typeof item === "string") {
    return object({ typeNames: ["Microsoft.Exchange.Data.SmtpDomainWithSubdomains", "System.Object"], display: item });
  }
  return propertyValue(name, item, form);
}

/** Properties that are no strings in Exchange. */
function typedText(name: string, text: string): ClixmlValue | undefined {
  switch (name) {
    case "Services":
      return enumValue(`${TASKS}.AllowedServices`, text, servicesNumber(text));
    case "Status":
      return enumValue(
        `${TASKS}.CertificateStatus`,
        text,
        CERTIFICATE_STATUSES.findIndex((status) => status === text),
      );
    case "RootCAType":
      return enumValue(`${TASKS}.CertificateAuthorityType`, text, ROOT_CA_TYPES.indexOf(text));
    case "AdminDisplayVersion":
      return object({ typeNames: ["Microsoft.Exchange.Data.ServerVersion", "System.Object"], display: text });
    case "TlsCertificateName":
      return object({ typeNames: ["Microsoft.Exchange.Data.SmtpX509Identifier", "System.Object"], display: text });
    default:
      return undefined;
  }
}
