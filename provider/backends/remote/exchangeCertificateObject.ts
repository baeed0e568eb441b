import { createHash } from "node:crypto";
import type { CertificateSnapshot } from "../backend";
import { parseThumbprint, type Thumbprint } from "../../certificate/thumbprint";
import { ExchangeBindingError } from "../../errors";
import {
  type CertificateStatus,
  type DisplayedService,
  type Observed,
  CERTIFICATE_STATUSES,
  DISPLAYED_SERVICES,
  known,
  parseDisplayedService,
  SERVICES,
  sortServices,
  unknown,
} from "../../model";
import { booleanOf, bytesOf, displayOf, integerOf, itemsOf, propertyOf, stringOf } from "../../remoting/clixml/reading";
import type { ClixmlValue } from "../../remoting/clixml/types";
import { readSerializationData } from "./serializationData";

/** `RootCAType` of Get-ExchangeCertificate; the index is the enum's number (0 and 3 measured, the others by order). */
export const ROOT_CA_TYPES = ["None", "ThirdParty", "Enterprise", "Registry", "GroupPolicy", "Unknown"] as const;
export type RootCaType = (typeof ROOT_CA_TYPES)[number];

/** What an ExchangeCertificate says beyond the certificate itself. */
export interface ExchangeCertificateDetails extends Omit<CertificateSnapshot, "der"> {
  readonly isSelfSigned: Observed<boolean>;
  readonly rootCaType: Observed<RootCaType>;
  /** `ServerFQDN\THUMBPRINT`. */
  readonly identity: Observed<string>;
}

export interface ExchangeCertificate extends CertificateSnapshot, ExchangeCertificateDetails {
  /** SHA-1 over {@link CertificateSnapshot.der}. */
  readonly thumbprint: Thumbprint;
}

const RAW_DATA_ONLY =
  "the server sent the bare certificate only (RawData): the session has no serializationLevel=Full, or the server's " +
  "Auth certificate has expired";

/**
 * Reads what Get-ExchangeCertificate, Import-ExchangeCertificate or New-ExchangeCertificate returned. Depending on the
 * session that is a bag of properties (a projection by Select-Object), `RawData` with `SerializationData`, or `RawData`
 * alone; what it doesn't say is unknown with the reason, never "none". A property counts before `SerializationData`,
 * and that only when it speaks of the same certificate.
 *
 * @throws ExchangeBindingError `CertificateUnreadable` when there is no certificate in it at all.
 */
export function readExchangeCertificate(value: ClixmlValue): ExchangeCertificate {
  const serializationData = bytesOf(propertyOf(value, "SerializationData"));
  const reading = serializationData === undefined ? undefined : readSerializationData(serializationData);
  const serialized = reading?.kind === "read" ? reading.certificate : undefined;
  const der = bytesOf(propertyOf(value, "RawData")) ?? serialized?.certificate?.der;
  if (der === undefined || der.length === 0) {
    throw new ExchangeBindingError(
      "CertificateUnreadable",
      "Reading a certificate that the server returned: the object has neither RawData nor a readable " +
        "SerializationData. Check that Get-ExchangeCertificate works in an Exchange Management Shell of that server.",
    );
  }
  const thumbprint = thumbprintOf(der);
  let details = detailsFromProperties(value, RAW_DATA_ONLY);
  if (reading?.kind === "unreadable") {
    details = orElse(details, nothingKnown(`its SerializationData could not be read: ${reading.reason}`));
  } else if (serialized !== undefined) {
    details = orElse(details, detailsFromSerialized(serialized, der, thumbprint));
  }
  return { der, thumbprint, ...details };
}

/** Details that came without the certificate, from a projection such as `Select-Object Thumbprint,Services,Status`. */
export interface CertificateProjection extends ExchangeCertificateDetails {
  readonly thumbprint: Thumbprint;
}

/** Reads one object of a projection; `undefined` when it doesn't say which certificate it is about. */
export function readCertificateProjection(value: ClixmlValue): CertificateProjection | undefined {
  const thumbprint = parseThumbprint(displayOf(propertyOf(value, "Thumbprint")) ?? "");
  if (thumbprint === undefined) return undefined;
  return { thumbprint, ...detailsFromProperties(value, "the projection doesn't have this property") };
}

/** Fills what isn't known from the projection of the same certificate, if there is one. */
export function withProjection(
  certificate: ExchangeCertificate,
  projections: readonly CertificateProjection[],
): ExchangeCertificate {
  const projection = projections.find((candidate) => candidate.thumbprint === certificate.thumbprint);
  if (projection === undefined) return certificate;
  return { der: certificate.der, thumbprint: certificate.thumbprint, ...fill(certificate, projection) };
}

function thumbprintOf(der: Uint8Array): Thumbprint {
  return createHash("sha1").update(der).digest("hex").toUpperCase() as Thumbprint;
}

/** Services of the flags; a flag that isn't known makes the whole unknown, for something is served that we can't name. */
export function servicesFromFlags(flags: number): Observed<readonly DisplayedService[]> {
  const services = DISPLAYED_SERVICES.filter((service) => (flags & SERVICES[service].flag) !== 0);
  const rest = services.reduce((left, service) => left - SERVICES[service].flag, flags);
  if (rest !== 0) return unknown(`the server named a service that isn't known here (flags ${flags})`);
  return known(services);
}

/** Services of the .NET text form, `IMAP, POP, IIS, SMTP` or `None`. */
export function servicesFromText(text: string): Observed<readonly DisplayedService[]> {
  if (/^\d{1,9}$/.test(text.trim())) return servicesFromFlags(Number(text));
  const services: DisplayedService[] = [];
  for (const word of text.split(",").map((part) => part.trim())) {
    if (word.toLowerCase() === "none") continue;
    const service = parseDisplayedService(word);
    if (service === undefined) return unknown(`the server named a service that isn't known here ("${word}")`);
    services.push(service);
  }
  return known(sortServices(services));
}

/** Numbers of the IIS sites in `IIS://SERVER/W3SVC/1` and the like; unknown when one of them names no site. */
export function iisSitesFromNames(names: readonly string[]): Observed<readonly number[]> {
  const sites = new Set<number>();
  for (const name of names) {
    const site = /\/W3SVC\/(\d{1,9})(?:\/|$)/i.exec(name)?.[1];
    if (site === undefined) return unknown("the server named an IIS service that isn't a site");
    sites.add(Number(site));
  }
  return known([...sites].sort((left, right) => left - right));
}

function detailsFromProperties(value: ClixmlValue, whyMissing: string): ExchangeCertificateDetails {
  const property = (name: string): ClixmlValue | undefined => {
    const found = propertyOf(value, name);
    return found?.kind === "Nil" || found?.kind === "Ref" || found?.kind === "unknown" ? undefined : found;
  };
  const missing = unknown(whyMissing);
  const services = property("Services");
  const flags = integerOf(services);
  const text = displayOf(services);
  const friendlyName = stringOf(property("FriendlyName"));
  const identity = displayOf(property("Identity"));
  return {
    displayedServices:
      flags !== undefined ? servicesFromFlags(flags) : text !== undefined ? servicesFromText(text) : missing,
    iisSites: iisSitesFromProperty(property("IISServices")) ?? missing,
    status: fromList(property("Status"), CERTIFICATE_STATUSES) ?? missing,
    friendlyName: friendlyName === undefined ? missing : known(friendlyName),
    hasPrivateKey: observed(booleanOf(property("HasPrivateKey")), missing),
    privateKeyExportable: observed(booleanOf(property("PrivateKeyExportable")), missing),
    isSelfSigned: observed(booleanOf(property("IsSelfSigned")), missing),
    rootCaType: fromList(property("RootCAType"), ROOT_CA_TYPES) ?? missing,
    identity: observed(identity, missing),
  };
}

/** A list of texts, of objects that print as the path, or of objects with a ServiceName. */
function iisSitesFromProperty(value: ClixmlValue | undefined): Observed<readonly number[]> | undefined {
  const items = itemsOf(value);
  if (items === undefined) return undefined;
  return iisSitesFromNames(
    items.map((item) => stringOf(propertyOf(item, "ServiceName")) ?? displayOf(item) ?? stringOf(item) ?? ""),
  );
}

/** A value of an enum: by its number where it was sent, otherwise by its name. */
function fromList<T extends string>(value: ClixmlValue | undefined, names: readonly T[]): Observed<T> | undefined {
  if (value === undefined) return undefined;
  const number = integerOf(value);
  const text = displayOf(value)?.toLowerCase();
  const found = number !== undefined ? names[number] : names.find((name) => name.toLowerCase() === text);
  return found === undefined ? unknown("the server sent a value that isn't known here") : known(found);
}

type Serialized = Extract<ReturnType<typeof readSerializationData>, { kind: "read" }>["certificate"];

function detailsFromSerialized(
  serialized: Serialized,
  der: Uint8Array,
  thumbprint: Thumbprint,
): ExchangeCertificateDetails {
  const { certificate, identity } = serialized;
  if (certificate !== undefined && !Buffer.from(certificate.der).equals(der)) {
    return nothingKnown("its SerializationData holds another certificate");
  }
  const named = identity?.split("\\").at(-1);
  if (named !== undefined && parseThumbprint(named) !== thumbprint) {
    return nothingKnown("its SerializationData speaks of another certificate");
  }
  const missing = unknown("its SerializationData doesn't say");
  const { services, iisServiceNames, status, rootCaType } = serialized;
  return {
    displayedServices: services === undefined ? missing : servicesFromFlags(services),
    iisSites: iisServiceNames === undefined ? missing : iisSitesFromNames(iisServiceNames),
    status: observed<CertificateStatus>(status === undefined ? undefined : CERTIFICATE_STATUSES[status], missing),
    friendlyName: observed(certificate?.friendlyName, missing),
    hasPrivateKey: observed(certificate?.hasPrivateKey, missing),
    privateKeyExportable: observed(serialized.privateKeyExportable, missing),
    isSelfSigned: observed(serialized.isSelfSigned, missing),
    rootCaType: observed<RootCaType>(rootCaType === undefined ? undefined : ROOT_CA_TYPES[rootCaType], missing),
    identity: observed(identity, missing),
  };
}

function nothingKnown(reason: string): ExchangeCertificateDetails {
  const nothing = unknown(reason);
  return {
    displayedServices: nothing,
    iisSites: nothing,
    status: nothing,
    friendlyName: nothing,
    hasPrivateKey: nothing,
    privateKeyExportable: nothing,
    isSelfSigned: nothing,
    rootCaType: nothing,
    identity: nothing,
  };
}

/** What is known of the first, otherwise what the second says, its reason included. */
function orElse(first: ExchangeCertificateDetails, second: ExchangeCertificateDetails): ExchangeCertificateDetails {
  const pick = <T>(one: Observed<T>, other: Observed<T>): Observed<T> => (one.kind === "known" ? one : other);
  return combine(pick, first, second);
}

/** What is known of the first, otherwise what the second knows; the first's reason stays when neither knows. */
function fill(first: ExchangeCertificateDetails, second: ExchangeCertificateDetails): ExchangeCertificateDetails {
  const pick = <T>(one: Observed<T>, other: Observed<T>): Observed<T> =>
    one.kind === "unknown" && other.kind === "known" ? other : one;
  return combine(pick, first, second);
}

function combine(
  pick: <T>(one: Observed<T>, other: Observed<T>) => Observed<T>,
  first: ExchangeCertificateDetails,
  second: ExchangeCertificateDetails,
): ExchangeCertificateDetails {
  return {
    displayedServices: pick(first.displayedServices, second.displayedServices),
    iisSites: pick(first.iisSites, second.iisSites),
    status: pick(first.status, second.status),
    friendlyName: pick(first.friendlyName, second.friendlyName),
    hasPrivateKey: pick(first.hasPrivateKey, second.hasPrivateKey),
    privateKeyExportable: pick(first.privateKeyExportable, second.privateKeyExportable),
    isSelfSigned: pick(first.isSelfSigned, second.isSelfSigned),
    rootCaType: pick(first.rootCaType, second.rootCaType),
    identity: pick(first.identity, second.identity),
  };
}

function observed<T>(value: T | undefined, missing: Observed<T>): Observed<T> {
  return value === undefined ? missing : known(value);
}
