import { messageOf } from "../../../errors";
import type { Operation } from "./kerberosLibrary";
import {
  type Argument,
  callLater,
  callNow,
  type Described,
  kerberosMissing,
  type Koffi,
  koffiOf,
  type NativeEnv,
  type NativeFunction,
  type NativeLibrary,
} from "./nativeCalls";

/*
 * SSPI of Windows (secur32.dll, "Security Support Provider Interface" of Microsoft's documentation), as far as one side
 * of a Kerberos conversation needs it. Structures are those of sspi.h, for 64 bits and 32.
 */

/** A SecHandle, two pointers: credentials or a security context. */
export type SecHandle = Buffer;

/** What a function of SSPI says when it fails: winerror.h, SEC_E_…, and now and then an NTSTATUS. */
export class SspiError extends Error {
  readonly operation: Operation;
  /** Unsigned. */
  readonly status: number;

  constructor(operation: Operation, status: number) {
    super(`0x${status.toString(16).toUpperCase().padStart(8, "0")}`);
    this.name = "SspiError";
    this.operation = operation;
    this.status = status;
  }
}

/** An account other than the one that is logged on. */
export interface AccountIdentity {
  /** The name, or a UPN. */
  readonly user: string;
  /** Empty with a UPN, and for the domain of this machine. */
  readonly domain: string;
  /** UTF-16, without an end. It is wiped. */
  readonly password: Buffer;
}

export interface ContextCall {
  readonly credential: SecHandle;
  /** Undefined: the conversation begins. */
  readonly context: SecHandle | undefined;
  /** `HTTP/host` */
  readonly target: string;
  readonly token: Uint8Array | undefined;
}

export interface ContextResult {
  readonly context: SecHandle;
  readonly token: Buffer | undefined;
  readonly isComplete: boolean;
  /** What was agreed on: {@link RETURNED}. */
  readonly attributes: number;
  /** FILETIME, in local time. */
  readonly expiry: bigint;
}

/** Of an established context, in bytes. */
export interface MessageSizes {
  readonly trailer: number;
  readonly block: number;
}

/** As EncryptMessage gives it. */
export interface SspiMessage {
  readonly token: Buffer;
  readonly data: Buffer;
  readonly padding: Buffer;
}

/** The functions. What may ask a domain controller runs on another thread, and can't be cancelled. Throws SspiErrors. */
export interface Sspi {
  /** Undefined: the account that is logged on. */
  readonly acquire: (account: AccountIdentity | undefined) => Promise<SecHandle>;
  readonly init: (call: ContextCall) => Promise<ContextResult>;
  readonly sizes: (context: SecHandle) => MessageSizes;
  readonly encrypt: (context: SecHandle, clear: Uint8Array, sizes: MessageSizes) => SspiMessage;
  /** Refuses what came before or out of order, and what is only signed. */
  readonly decrypt: (context: SecHandle, token: Uint8Array, data: Uint8Array) => Buffer;
  readonly freeCredential: (credential: SecHandle) => void;
  readonly deleteContext: (context: SecHandle) => void;
  /** Our own name in a context, or in credentials, where the system tells. */
  readonly nameInContext: (context: SecHandle) => string | undefined;
  readonly nameInCredential: (credential: SecHandle) => string | undefined;
  /** Who has logged on, `CONTOSO\anna`, where the system tells. */
  readonly loggedOn: () => string | undefined;
}

/** ISC_RET_…: mutual authentication, replay and sequence detection, encryption, integrity. */
export const RETURNED = { mutual: 2, replay: 4, sequence: 8, confidential: 0x10, integrity: 0x10000 } as const;
/** ISC_REQ_… has the same numbers. Not delegation (1). */
const ASKED = RETURNED.mutual | RETURNED.replay | RETURNED.sequence | RETURNED.confidential | RETURNED.integrity;

const LIBRARY = "secur32.dll";
const PACKAGE = "Kerberos";
const SECPKG_CRED_OUTBOUND = 2;
const SECURITY_NATIVE_DREP = 0x10;
const SEC_I_CONTINUE_NEEDED = 0x90312;
const SEC_WINNT_AUTH_IDENTITY_UNICODE = 2;
const SECPKG_ATTR = { sizes: 0, names: 1, nativeNames: 13 } as const;
const SECPKG_CRED_ATTR_NAMES = 1;
const NAME_SAM_COMPATIBLE = 2;
const SECQOP_WRAP_NO_ENCRYPT = 0x80000001;
/** SECBUFFER_… */
const BUFFER = { data: 1, token: 2, padding: 9 } as const;
/**
 * RFC 4121 with AES and SHA-2 needs 72. A package that says less than it needs (Wine does) would refuse the message,
 * and count it all the same.
 */
const SMALLEST_TRAILER = 80;
const LONGEST_NAME = 1024;

/** Loads the library. Throws RemotingError `SettingsRefused` where it can't be. */
export function loadSspi(env: NativeEnv): Sspi {
  const koffi = koffiOf(env);
  try {
    return binding(koffi, koffi.load(LIBRARY));
  } catch (cause) {
    throw kerberosMissing(`the system's library ${LIBRARY} can't be used (${messageOf(cause)}).`, cause);
  }
}

function binding(koffi: Koffi, library: NativeLibrary): Sspi {
  const P = "void *";
  const U = "uint32";
  // Without names: those would belong to the whole process, and a second copy of this module couldn't be loaded.
  const bufferType = koffi.struct({ cbBuffer: U, BufferType: U, pvBuffer: P });
  const listType = koffi.struct({ ulVersion: U, cBuffers: U, pBuffers: P });
  const packageType = koffi.struct({
    fCapabilities: U,
    wVersion: "uint16",
    wRPCID: "uint16",
    cbMaxToken: U,
    Name: P,
    Comment: P,
  });
  const identityType = koffi.struct({
    User: P,
    UserLength: U,
    Domain: P,
    DomainLength: U,
    Password: P,
    PasswordLength: U,
    Flags: U,
  });
  const handleBytes = 2 * koffi.sizeof(P);

  const get = (name: string, types: readonly string[], result = "int32"): NativeFunction =>
    library.func("__stdcall", name, result, [...types]) as NativeFunction;
  const querySecurityPackageInfo = get("QuerySecurityPackageInfoW", ["str16", P]);
  const acquireCredentialsHandle = get("AcquireCredentialsHandleW", [P, "str16", U, P, P, P, P, P, P]);
  const initializeSecurityContext = get("InitializeSecurityContextW", [P, P, "str16", U, U, U, P, U, P, P, P, P]);
  const queryContextAttributes = get("QueryContextAttributesW", [P, U, P]);
  const queryCredentialsAttributes = get("QueryCredentialsAttributesW", [P, U, P]);
  const encryptMessage = get("EncryptMessage", [P, U, P, U]);
  const decryptMessage = get("DecryptMessage", [P, P, U, P]);
  const freeContextBuffer = get("FreeContextBuffer", [P]);
  const freeCredentialsHandle = get("FreeCredentialsHandle", [P]);
  const deleteSecurityContext = get("DeleteSecurityContext", [P]);
  const getUserName = get("GetUserNameExW", ["int", P, P], "uint8");

  const pointerIn = (one: Buffer, offset = 0): bigint | null => koffi.decode(one, offset, P) as bigint | null;
  const address = (bytes: Uint8Array): bigint | null => (bytes.length === 0 ? null : koffi.address(bytes));
  /** Success, or SEC_I_CONTINUE_NEEDED; anything else fails. */
  const check = (operation: Operation, result: number): number => {
    const status = result >>> 0;
    if (status !== 0 && status !== SEC_I_CONTINUE_NEEDED) throw new SspiError(operation, status);
    return status;
  };

  interface Part {
    readonly type: number;
    readonly bytes: Buffer;
  }
  /** SecBufferDesc with its SecBuffers. */
  const describe = (parts: readonly Part[]): Described & { readonly lengthOf: (index: number) => number } => {
    const size = koffi.sizeof(bufferType);
    const buffers = Buffer.alloc(size * parts.length);
    for (const [index, { type, bytes }] of parts.entries()) {
      const one = { cbBuffer: bytes.length, BufferType: type, pvBuffer: address(bytes) };
      koffi.encode(buffers, index * size, bufferType, one);
    }
    const descriptor = Buffer.alloc(koffi.sizeof(listType));
    koffi.encode(descriptor, listType, { ulVersion: 0, cBuffers: parts.length, pBuffers: address(buffers) });
    const lengthOf = (index: number): number => buffers.readUInt32LE(index * size);
    return { descriptor, bytes: [buffers, parts], lengthOf };
  };

  const largestToken = (): number => {
    const info = Buffer.alloc(koffi.sizeof(P));
    check("acquire", callNow(querySecurityPackageInfo, [PACKAGE, info]));
    const found = pointerIn(info);
    const { cbMaxToken } = koffi.decode(found, packageType) as { cbMaxToken: number };
    callNow(freeContextBuffer, [found]);
    return cbMaxToken;
  };
  const tokenBytes = largestToken();

  /** A text that the system allocated, given back. */
  const taken = (text: bigint | null): string | undefined => {
    if (text === null) return undefined;
    const said = koffi.decode(text, "char16_t", -1) as string;
    callNow(freeContextBuffer, [text]);
    return said === "" ? undefined : said;
  };
  const identityOf = ({ user, domain, password }: AccountIdentity): Described => {
    const texts = [Buffer.from(user, "utf16le"), Buffer.from(domain, "utf16le"), password];
    const [userText, domainText] = texts as [Buffer, Buffer, Buffer];
    const descriptor = Buffer.alloc(koffi.sizeof(identityType));
    koffi.encode(descriptor, identityType, {
      User: address(userText),
      UserLength: userText.length / 2,
      Domain: address(domainText),
      DomainLength: domainText.length / 2,
      Password: address(password),
      PasswordLength: password.length / 2,
      Flags: SEC_WINNT_AUTH_IDENTITY_UNICODE,
    });
    return { descriptor, bytes: texts };
  };

  return {
    acquire: async (account) => {
      const credential = Buffer.alloc(handleBytes);
      const identity = account === undefined ? null : identityOf(account);
      const outbound: readonly Argument[] = [null, PACKAGE, SECPKG_CRED_OUTBOUND, null, identity];
      try {
        const args = [...outbound, null, null, credential, Buffer.alloc(8)];
        check("acquire", await callLater(acquireCredentialsHandle, args));
      } finally {
        account?.password.fill(0);
      }
      return credential;
    },

    init: async ({ credential, context: begun, target, token }) => {
      const context = begun ?? Buffer.alloc(handleBytes);
      const answer = Buffer.alloc(tokenBytes);
      const output = describe([{ type: BUFFER.token, bytes: answer }]);
      const input = token === undefined ? null : describe([{ type: BUFFER.token, bytes: Buffer.from(token) }]);
      const [attributes, expiry] = [Buffer.alloc(4), Buffer.alloc(8)];
      const drep: readonly Argument[] = [ASKED, 0, SECURITY_NATIVE_DREP];
      const state: readonly Argument[] = [input, 0, context, output, attributes, expiry];
      const args = [credential, begun ?? null, target, ...drep, ...state];
      const status = check("init", await callLater(initializeSecurityContext, args));
      const length = output.lengthOf(0);
      return {
        context,
        token: length === 0 ? undefined : Buffer.from(answer.subarray(0, length)),
        isComplete: status === 0,
        attributes: attributes.readUInt32LE(),
        expiry: expiry.readBigInt64LE(),
      };
    },

    sizes: (context) => {
      // SecPkgContext_Sizes: cbMaxToken, cbMaxSignature, cbBlockSize, cbSecurityTrailer.
      const sizes = Buffer.alloc(16);
      check("wrap", callNow(queryContextAttributes, [context, SECPKG_ATTR.sizes, sizes]));
      return { block: sizes.readUInt32LE(8), trailer: sizes.readUInt32LE(12) };
    },

    encrypt: (context, clear, { trailer, block }) => {
      const token = Buffer.alloc(Math.max(trailer, SMALLEST_TRAILER));
      const data = Buffer.from(clear);
      const padding = Buffer.alloc(block);
      const message = describe([
        { type: BUFFER.token, bytes: token },
        { type: BUFFER.data, bytes: data },
        { type: BUFFER.padding, bytes: padding },
      ]);
      check("wrap", callNow(encryptMessage, [context, 0, message, 0]));
      return {
        token: token.subarray(0, message.lengthOf(0)),
        data: data.subarray(0, message.lengthOf(1)),
        padding: padding.subarray(0, message.lengthOf(2)),
      };
    },

    decrypt: (context, token, data) => {
      const clear = Buffer.from(data);
      const parts = [
        { type: BUFFER.token, bytes: Buffer.from(token) },
        { type: BUFFER.data, bytes: clear },
      ];
      const message = describe(parts);
      const quality = Buffer.alloc(4);
      const args = [context, message, 0, quality];
      check("unwrap", callNow(decryptMessage, args));
      if (quality.readUInt32LE() === SECQOP_WRAP_NO_ENCRYPT) throw new SspiError("unwrap", SECQOP_WRAP_NO_ENCRYPT);
      return clear.subarray(0, message.lengthOf(1));
    },

    freeCredential: (credential) => void callNow(freeCredentialsHandle, [credential]),
    deleteContext: (context) => void callNow(deleteSecurityContext, [context]),

    nameInContext: (context) => {
      const names = Buffer.alloc(2 * koffi.sizeof(P));
      if (callNow(queryContextAttributes, [context, SECPKG_ATTR.nativeNames, names]) === 0) {
        const client = taken(pointerIn(names));
        taken(pointerIn(names, koffi.sizeof(P)));
        if (client !== undefined) return client;
      }
      const name = Buffer.alloc(koffi.sizeof(P));
      const asked = callNow(queryContextAttributes, [context, SECPKG_ATTR.names, name]);
      return asked === 0 ? taken(pointerIn(name)) : undefined;
    },

    nameInCredential: (credential) => {
      const name = Buffer.alloc(koffi.sizeof(P));
      const asked = callNow(queryCredentialsAttributes, [credential, SECPKG_CRED_ATTR_NAMES, name]);
      return asked === 0 ? taken(pointerIn(name)) : undefined;
    },

    loggedOn: () => {
      const [text, count] = [Buffer.alloc(2 * LONGEST_NAME), Buffer.alloc(4)];
      count.writeUInt32LE(LONGEST_NAME);
      if (callNow(getUserName, [NAME_SAM_COMPATIBLE, text, count]) === 0) return undefined;
      return text.toString("utf16le", 0, 2 * count.readUInt32LE());
    },
  };
}
