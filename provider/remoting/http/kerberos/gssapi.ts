import type * as KoffiModule from "koffi";
import { messageOf } from "../../../errors";
import {
  type Argument,
  callLater as later,
  callNow as now,
  type Described,
  kerberosMissing,
  type Koffi,
  koffiOf,
  type NativeEnv,
  type NativeFunction,
  type NativeLibrary,
} from "./nativeCalls";

/*
 * The system's GSSAPI (RFC 2743, RFC 2744), as far as one side of a Kerberos conversation needs it.
 */

/** A pointer that GSSAPI fills in and takes back: a name, a credential, or a security context. */
export type Handle = Buffer;

export type Operation = "name" | "acquire" | "init" | "wrap" | "unwrap";

/** What a function of GSSAPI says when it fails: RFC 2744 3.9, and the numbers of MIT's krb5_err.et for `minor`. */
export class GssError extends Error {
  readonly operation: Operation;
  /** Unsigned, supplementary bits included. */
  readonly major: number;
  /** Unsigned. */
  readonly minor: number;

  /** `text`: the library's own words for `minor`, in whatever language it speaks. */
  constructor(operation: Operation, major: number, minor: number, text: string) {
    super(text);
    this.name = "GssError";
    this.operation = operation;
    this.major = major;
    this.minor = minor;
  }
}

export interface InitCall {
  /** Filled in by the first call, and taken up again by those that follow. */
  readonly context: Handle;
  /** Default: the default ticket cache, or else the client keytab. */
  readonly credential: Handle | undefined;
  readonly target: Handle;
  readonly token: Uint8Array | undefined;
}

export interface InitResult {
  readonly token: Buffer | undefined;
  readonly isComplete: boolean;
  /** What was agreed on: {@link FLAGS}. */
  readonly flags: number;
  /** How long the ticket may be used. */
  readonly seconds: number;
}

/**
 * The functions. What may ask a KDC, a name server or a disk runs on another thread; it can't be cancelled, and ends by
 * itself, which may take half a minute. Throws GssErrors.
 */
export interface Gssapi {
  /** A name in Kerberos' own form, `user@REALM` or `HTTP/host@`: with an empty realm the KDC says which one it is. */
  readonly importPrincipal: (name: string) => Promise<Handle>;
  /** With a password from the KDC, otherwise from the ticket cache or the client keytab. The password is wiped. */
  readonly acquire: (principal: Handle, password: Buffer | undefined) => Promise<Handle>;
  readonly init: (call: InitCall) => Promise<InitResult>;
  /** Encrypted, as one token. */
  readonly wrap: (context: Handle, clear: Uint8Array) => Buffer;
  /** Refuses what wasn't encrypted, came before, or came out of order. */
  readonly unwrap: (context: Handle, token: Uint8Array) => Buffer;
  readonly releaseName: (name: Handle) => void;
  readonly releaseCredential: (credential: Handle) => void;
  readonly deleteContext: (context: Handle) => void;
  /** An empty handle, for {@link Gssapi.init}. */
  readonly newContext: () => Handle;
  /** Who we are in an established context, such as `anna@CONTOSO.COM`, when the library tells. */
  readonly whoWeAre: (context: Handle) => string | undefined;
  /** Name of the default ticket cache, when the library tells. */
  readonly cacheName: () => string | undefined;
}

/** Mutual authentication, replay and sequence detection, encryption, integrity. No delegation. RFC 2744 appendix A. */
export const FLAGS = { mutual: 2, replay: 4, sequence: 8, confidential: 0x10, integrity: 0x20 } as const;
const ASKED = FLAGS.mutual | FLAGS.replay | FLAGS.sequence | FLAGS.confidential | FLAGS.integrity;

const LIBRARY = "libgssapi_krb5.so.2";
/** 1.2.840.113554.1.2.2 */
const KERBEROS = "2a864886f712010202";
/** 1.2.840.113554.1.2.2.1 */
const PRINCIPAL_NAME = "2a864886f71201020201";
const INITIATE = 1;
const INDEFINITE = 0xffffffff;
const MECHANISM_CODE = 2;
const CONTINUE_NEEDED = 1;
const ERROR_BITS = 0xffff0000;

/** Loads the library. Throws RemotingError `SettingsRefused` where there is none, saying what to install. */
export function loadGssapi(env: NativeEnv): Gssapi {
  const koffi = koffiOf(env);
  let library: NativeLibrary;
  try {
    library = koffi.load(LIBRARY);
  } catch (cause) {
    throw kerberosMissing(
      `the library ${LIBRARY} can't be loaded (${messageOf(cause)}). It belongs to MIT Kerberos; Heimdal's doesn't do. ` +
        "Install it: libgssapi-krb5-2 on Debian and Ubuntu, krb5-libs on Fedora, RHEL and Alpine.",
      cause,
    );
  }
  try {
    return binding(koffi, library);
  } catch (cause) {
    throw kerberosMissing(`the library ${LIBRARY} isn't that of MIT Kerberos (${messageOf(cause)}).`, cause);
  }
}

function binding(koffi: Koffi, library: NativeLibrary): Gssapi {
  // Without names: those would belong to the whole process, and a second copy of this module couldn't be loaded.
  const bufferType = koffi.struct({ length: "size_t", value: "void *" });
  const oidType = koffi.struct({ length: "uint32", elements: "void *" });
  const setType = koffi.struct({ count: "size_t", elements: "void *" });
  const pointerBytes = koffi.sizeof("void *");

  const get = (name: string, types: readonly string[], result = "uint32"): NativeFunction =>
    library.func(name, result, [...types]) as NativeFunction;
  const P = "void *";
  const U = "uint32";
  const importName = get("gss_import_name", [P, P, P, P]);
  const acquireCred = get("gss_acquire_cred", [P, P, U, P, "int", P, P, P]);
  const acquireWithPassword = get("gss_acquire_cred_with_password", [P, P, P, U, P, "int", P, P, P]);
  const initContext = get("gss_init_sec_context", [P, P, P, P, P, U, U, P, P, P, P, P, P]);
  const wrapToken = get("gss_wrap", [P, P, "int", U, P, P, P]);
  const unwrapToken = get("gss_unwrap", [P, P, P, P, P, P]);
  const releaseBuffer = get("gss_release_buffer", [P, P]);
  const releaseGssName = get("gss_release_name", [P, P]);
  const releaseCred = get("gss_release_cred", [P, P]);
  const deleteSecContext = get("gss_delete_sec_context", [P, P, P]);
  const displayStatus = get("gss_display_status", [P, U, "int", P, P, P]);
  const inquireContext = get("gss_inquire_context", [P, P, P, P, P, P, P, P, P]);
  const displayName = get("gss_display_name", [P, P, P, P]);
  const defaultCache = get("gss_krb5_ccache_name", [P, P, P]);
  const copyMemory = get("memcpy", [P, P, "size_t"], P);

  const handle = (): Handle => Buffer.alloc(pointerBytes);
  const targetOf = (one: Handle): bigint | null => koffi.decode(one, P) as bigint | null;
  const describe = (type: KoffiModule.TypeObject, bytes: Uint8Array, count = bytes.length): Described => {
    const [number = "", pointer = ""] = Object.keys(type.members ?? {});
    const descriptor = Buffer.alloc(koffi.sizeof(type));
    koffi.encode(descriptor, type, { [number]: count, [pointer]: count === 0 ? null : koffi.address(bytes) });
    return { descriptor, bytes };
  };
  const oid = (hex: string): Described => describe(oidType, Buffer.from(hex, "hex"));
  const kerberos = oid(KERBEROS);
  const principalName = oid(PRINCIPAL_NAME);
  const mechanisms = describe(setType, kerberos.descriptor, 1);

  /** What the library allocated, copied and given back. */
  const taken = (descriptor: Buffer): Buffer => {
    const { length, value } = koffi.decode(descriptor, bufferType) as { length: number; value: bigint | null };
    const copy = Buffer.alloc(length);
    if (length > 0) copyMemory(copy, value, length);
    now(releaseBuffer, [Buffer.alloc(4), descriptor]);
    return copy;
  };
  const newBuffer = (): Buffer => Buffer.alloc(koffi.sizeof(bufferType));

  const textOf = (minor: number): string => {
    const text = newBuffer();
    const args = [Buffer.alloc(4), minor, MECHANISM_CODE, kerberos, Buffer.alloc(4), text];
    return (now(displayStatus, args) & ERROR_BITS) === 0 ? taken(text).toString("utf8") : "";
  };
  const failure = (operation: Operation, major: number, minor: Buffer): GssError => {
    const number = minor.readUInt32LE();
    return new GssError(operation, major, number, number === 0 ? "" : textOf(number));
  };
  /** Fails on anything that is an error; the supplementary bits alone aren't one. */
  const check = (operation: Operation, major: number, minor: Buffer): void => {
    if ((major & ERROR_BITS) !== 0) throw failure(operation, major, minor);
  };

  return {
    importPrincipal: async (name) => {
      const [minor, result] = [Buffer.alloc(4), handle()];
      const text = describe(bufferType, Buffer.from(name, "utf8"));
      check("name", await later(importName, [minor, text, principalName, result]), minor);
      return result;
    },

    acquire: async (principal, password) => {
      const [minor, result] = [Buffer.alloc(4), handle()];
      const name = targetOf(principal);
      const common: readonly Argument[] = [INDEFINITE, mechanisms, INITIATE, result, null, null];
      try {
        const major =
          password === undefined
            ? await later(acquireCred, [minor, name, ...common])
            : await later(acquireWithPassword, [minor, name, describe(bufferType, password), ...common]);
        check("acquire", major, minor);
      } finally {
        password?.fill(0);
      }
      return result;
    },

    init: async ({ context, credential, target, token }) => {
      const [minor, output, flags, seconds] = [Buffer.alloc(4), newBuffer(), Buffer.alloc(4), Buffer.alloc(4)];
      const input = token === undefined ? null : describe(bufferType, token);
      const major = await later(initContext, [
        minor,
        credential === undefined ? null : targetOf(credential),
        context,
        targetOf(target),
        kerberos,
        ASKED,
        0,
        null,
        input,
        null,
        output,
        flags,
        seconds,
      ]);
      const answer = taken(output);
      check("init", major, minor);
      return {
        token: answer.length === 0 ? undefined : answer,
        isComplete: (major & CONTINUE_NEEDED) === 0,
        flags: flags.readUInt32LE(),
        seconds: seconds.readUInt32LE(),
      };
    },

    wrap: (context, clear) => {
      const [minor, output, isEncrypted] = [Buffer.alloc(4), newBuffer(), Buffer.alloc(4)];
      const args = [minor, targetOf(context), 1, 0, describe(bufferType, clear), isEncrypted, output];
      const major = now(wrapToken, args);
      const token = taken(output);
      if (major !== 0 || isEncrypted.readInt32LE() !== 1) throw failure("wrap", major, minor);
      return token;
    },

    unwrap: (context, token) => {
      const [minor, output, isEncrypted] = [Buffer.alloc(4), newBuffer(), Buffer.alloc(4)];
      const args = [minor, targetOf(context), describe(bufferType, token), output, isEncrypted, null];
      const major = now(unwrapToken, args);
      const clear = taken(output);
      // A message that came twice or out of order is decrypted all the same: only its status tells.
      if (major !== 0 || isEncrypted.readInt32LE() !== 1) throw failure("unwrap", major, minor);
      return clear;
    },

    releaseName: (name) => void now(releaseGssName, [Buffer.alloc(4), name]),
    releaseCredential: (credential) => void now(releaseCred, [Buffer.alloc(4), credential]),
    deleteContext: (context) => void now(deleteSecContext, [Buffer.alloc(4), context, null]),
    newContext: handle,

    whoWeAre: (context) => {
      const [name, text] = [handle(), newBuffer()];
      const nothing = [null, null, null, null, null, null] as const;
      const asked = now(inquireContext, [Buffer.alloc(4), targetOf(context), name, ...nothing]);
      if ((asked & ERROR_BITS) !== 0) return undefined;
      try {
        const shown = now(displayName, [Buffer.alloc(4), targetOf(name), text, null]);
        return (shown & ERROR_BITS) === 0 ? taken(text).toString("utf8") : undefined;
      } finally {
        now(releaseGssName, [Buffer.alloc(4), name]);
      }
    },

    cacheName: () => {
      const name = handle();
      // Setting none brings the default one back, and tells which one it is.
      if (now(defaultCache, [Buffer.alloc(4), null, name]) !== 0) return undefined;
      const found = targetOf(name);
      return found === null ? undefined : koffi.decode.string(found);
    },
  };
}
