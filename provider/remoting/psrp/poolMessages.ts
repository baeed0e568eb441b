import { decodeBase64, encodeBase64 } from "../base64";
import { booleanOf, displayOf, entriesOf, integerOf, propertyOf, stringOf } from "../clixml/reading";
import {
  boolean,
  type ClixmlObject,
  type ClixmlValue,
  dictionary,
  enumValue,
  int32,
  NIL,
  propertyBag,
  string,
  version,
} from "../clixml/types";
import { decodeErrorRecord, encodeErrorRecord, type ErrorRecord } from "./errorRecord";
import { messageInvalid } from "./message";
import { RUNSPACE_POOL_STATES, type RunspacePoolState } from "./states";

/** What each side says of itself first: MS-PSRP 2.2.2.1. */
export interface SessionCapability {
  readonly protocolVersion: string;
  readonly psVersion: string;
  readonly serializationVersion: string;
}

/**
 * What we say. 2.3 on purpose: from 2.4 on, with both sides at 2.4, there is no key exchange any more, and Exchange's
 * Windows PowerShell 5.1 needs it.
 */
export const OUR_CAPABILITY: SessionCapability = {
  protocolVersion: "2.3",
  psVersion: "2.0",
  serializationVersion: "1.1.0.1",
};

export function encodeSessionCapability(capability: SessionCapability): ClixmlObject {
  return propertyBag({
    protocolversion: version(capability.protocolVersion),
    PSVersion: version(capability.psVersion),
    SerializationVersion: version(capability.serializationVersion),
  });
}

/** Reads SESSION_CAPABILITY and checks that the other side speaks a protocol 2.x of 2.0 or later: MS-PSRP 3.1.5.4.1. */
export function decodeSessionCapability(value: ClixmlValue): SessionCapability {
  const text = (name: string): string => displayOf(propertyOf(value, name)) ?? "";
  const protocolVersion = text("protocolversion");
  if (!/^2\.\d{1,5}(?:\.\d{1,9}){0,2}$/.test(protocolVersion)) {
    throw messageInvalid("SESSION_CAPABILITY", "with a protocol version other than 2.x");
  }
  return { protocolVersion, psVersion: text("PSVersion"), serializationVersion: text("SerializationVersion") };
}

/**
 * What the client says about its host: MS-PSRP 2.2.3.14. `prompts` makes the server ask its questions by host calls;
 * with `none` a cmdlet that asks fails.
 */
export type HostKind = "none" | "prompts";

/** HostInfo of INIT_RUNSPACEPOOL; there is never a screen buffer behind it (`_isHostRawUINull`). */
function encodePoolHost(kind: HostKind): ClixmlObject {
  return encodeHostInfo({
    isHostNull: kind === "none",
    isHostUINull: kind === "none",
    isHostRawUINull: true,
    useRunspaceHost: kind === "none",
  });
}

export interface HostInfo {
  readonly isHostNull: boolean;
  readonly isHostUINull: boolean;
  readonly isHostRawUINull: boolean;
  readonly useRunspaceHost: boolean;
}

export function encodeHostInfo(info: HostInfo): ClixmlObject {
  return propertyBag({
    _isHostNull: boolean(info.isHostNull),
    _isHostUINull: boolean(info.isHostUINull),
    _isHostRawUINull: boolean(info.isHostRawUINull),
    _useRunspaceHost: boolean(info.useRunspaceHost),
  });
}

export function decodeHostInfo(value: ClixmlValue | undefined): HostInfo {
  const flag = (name: string): boolean => booleanOf(propertyOf(value, name)) ?? true;
  return {
    isHostNull: flag("_isHostNull"),
    isHostUINull: flag("_isHostUINull"),
    isHostRawUINull: flag("_isHostRawUINull"),
    useRunspaceHost: flag("_useRunspaceHost"),
  };
}

/** MS-PSRP 2.2.2.2. */
export interface InitRunspacePool {
  readonly minRunspaces: number;
  readonly maxRunspaces: number;
  readonly host: HostInfo;
  readonly applicationArguments: ClixmlValue;
}

export function encodeInitRunspacePool(host: HostKind, maxRunspaces: number): ClixmlObject {
  return propertyBag({
    MinRunspaces: int32(1),
    MaxRunspaces: int32(maxRunspaces),
    PSThreadOptions: enumValue("System.Management.Automation.Runspaces.PSThreadOptions", "Default", 0),
    ApartmentState: encodeApartmentState(),
    HostInfo: encodePoolHost(host),
    ApplicationArguments: NIL,
  });
}

/** "Unknown", 2.2.3.7: the server chooses. */
export function encodeApartmentState(): ClixmlObject {
  return enumValue("System.Management.Automation.Runspaces.ApartmentState", "UNKNOWN", 2);
}

export function decodeInitRunspacePool(value: ClixmlValue): InitRunspacePool {
  const minRunspaces = integerOf(propertyOf(value, "MinRunspaces"));
  const maxRunspaces = integerOf(propertyOf(value, "MaxRunspaces"));
  if (minRunspaces === undefined || maxRunspaces === undefined || minRunspaces < 1 || maxRunspaces < minRunspaces) {
    throw messageInvalid("INIT_RUNSPACEPOOL", "without usable numbers of runspaces");
  }
  return {
    minRunspaces,
    maxRunspaces,
    host: decodeHostInfo(propertyOf(value, "HostInfo")),
    applicationArguments: propertyOf(value, "ApplicationArguments") ?? NIL,
  };
}

/** MS-PSRP 2.2.2.13; `entries` are what the server says of its PowerShell. */
export function encodeApplicationPrivateData(entries: Iterable<readonly [string, ClixmlValue]>): ClixmlObject {
  return propertyBag({ ApplicationPrivateData: dictionary(entries, PRIMITIVE_DICTIONARY) });
}

const PRIMITIVE_DICTIONARY = [
  "System.Management.Automation.PSPrimitiveDictionary",
  "System.Collections.Hashtable",
  "System.Object",
];

export function decodeApplicationPrivateData(value: ClixmlValue): ReadonlyMap<string, ClixmlValue> {
  const entries = entriesOf(propertyOf(value, "ApplicationPrivateData")) ?? [];
  return new Map(entries.map(([key, entry]) => [stringOf(key) ?? "", entry]));
}

export interface StateMessage<State> {
  readonly state: State;
  readonly error: ErrorRecord | undefined;
}

/** MS-PSRP 2.2.2.21. */
export function encodeRunspacePoolState(state: RunspacePoolState, error?: ErrorRecord): ClixmlObject {
  return propertyBag({
    RunspaceState: int32(RUNSPACE_POOL_STATES.indexOf(state)),
    ExceptionAsErrorRecord: error === undefined ? undefined : encodeErrorRecord(error),
  });
}

export function decodeRunspacePoolState(value: ClixmlValue): StateMessage<RunspacePoolState> {
  const state = RUNSPACE_POOL_STATES[integerOf(propertyOf(value, "RunspaceState")) ?? -1];
  if (state === undefined) throw messageInvalid("RUNSPACEPOOL_STATE", "without a state that is known");
  return { state, error: exceptionOf(value) };
}

/** The error record beside a state, when there is one. */
export function exceptionOf(value: ClixmlValue): ErrorRecord | undefined {
  const error = propertyOf(value, "ExceptionAsErrorRecord");
  return error === undefined || error.kind === "Nil" ? undefined : decodeErrorRecord(error);
}

/** PUBLIC_KEY (MS-PSRP 2.2.2.3) and ENCRYPTED_SESSION_KEY (2.2.2.4): one property with base64. */
export function encodeKeyMessage(property: "PublicKey" | "EncryptedSessionKey", blob: Uint8Array): ClixmlObject {
  return propertyBag({ [property]: string(encodeBase64(blob)) });
}

export function decodeKeyMessage(value: ClixmlValue, property: "PublicKey" | "EncryptedSessionKey"): Uint8Array {
  const blob = decodeBase64(stringOf(propertyOf(value, property)) ?? "");
  if (blob === undefined || blob.length === 0) {
    throw messageInvalid(property === "PublicKey" ? "PUBLIC_KEY" : "ENCRYPTED_SESSION_KEY", "without its key");
  }
  return blob;
}
