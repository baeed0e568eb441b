import type { RemotingError } from "../../../../provider/remoting/errors";
import { bodyMemory } from "../../../../provider/remoting/http/authentication";
import {
  kerberosAuthentication,
  kerberosIdentity,
} from "../../../../provider/remoting/http/kerberos/kerberosAuthentication";
import {
  type AccountIdentity,
  type ContextResult,
  type Sspi,
  SspiError,
} from "../../../../provider/remoting/http/kerberos/sspi";
import { secondsUntil, sspiLibrary } from "../../../../provider/remoting/http/kerberos/sspiLibrary";
import { Secret } from "../../../../provider/secret";

const NOW = new Date("2026-06-01T10:00:00Z");
const ALL = 0x1001e;
const { signal } = new AbortController();
const SERVER = { host: "ex01.contoso.com", isTls: false };

/** The header of an encrypted message of RFC 4121; `ec`: bytes of filler. */
const header = (ec = 0): Buffer =>
  Buffer.from(`050402ff${ec.toString(16).padStart(4, "0")}001c${"00".repeat(52)}`, "hex");

interface Fake {
  readonly sspi: Sspi;
  /** What was asked for, and given back. */
  readonly calls: string[];
  readonly accounts: (AccountIdentity | undefined)[];
}

/** SSPI as Windows has it: a conversation of two steps. */
function fake(changes: Partial<Sspi> = {}): Fake {
  const calls: string[] = [];
  const accounts: (AccountIdentity | undefined)[] = [];
  const far = BigInt(NOW.getTime() + 11_644_473_600_000 + 86_400_000) * 10_000n;
  const result = (isComplete: boolean): ContextResult => ({
    context: Buffer.from("context"),
    token: isComplete ? undefined : Buffer.from("token"),
    isComplete,
    attributes: ALL,
    expiry: far,
  });
  const sspi: Sspi = {
    acquire: (account) => {
      calls.push("acquire");
      accounts.push(account && { ...account, password: Buffer.from(account.password) });
      return Promise.resolve(Buffer.from("credential"));
    },
    init: ({ context }) => {
      calls.push(context === undefined ? "begin" : "go on");
      return Promise.resolve(result(context !== undefined));
    },
    sizes: () => ({ trailer: 60, block: 16 }),
    encrypt: (_context, clear) => ({ token: header(), data: Buffer.from(clear), padding: Buffer.alloc(16) }),
    decrypt: (_context, _token, data) => Buffer.from(data),
    freeCredential: (credential) => calls.push(`free ${credential.toString()}`),
    deleteContext: (context) => calls.push(`delete ${context.toString()}`),
    nameInContext: () => "anna@CONTOSO.COM",
    nameInCredential: () => "CONTOSO\\anna",
    loggedOn: () => "CONTOSO\\anna",
    ...changes,
  };
  return { sspi, calls, accounts };
}

function authentication({ sspi }: Pick<Fake, "sspi">, username?: string, password?: string) {
  const secret = password === undefined ? undefined : new Secret(password);
  return kerberosAuthentication(kerberosIdentity("win32", username, secret), {
    library: sspiLibrary(sspi, () => NOW),
    now: () => NOW,
    bodies: bodyMemory(() => undefined),
  });
}

async function converse(using: Pick<Fake, "sspi">, username?: string, password?: string) {
  const context = authentication(using, username, password).begin(SERVER);
  await context.step(undefined, signal);
  await context.step(Buffer.from("proof"), signal);
  return context;
}

async function failure(promise: Promise<unknown>): Promise<RemotingError> {
  return promise.then(
    () => {
      throw new Error("It worked.");
    },
    (error: unknown) => error as RemotingError,
  );
}

describe("a conversation by SSPI", () => {
  it("gives back what it got, when it is closed, the context first", async () => {
    const { sspi, calls } = fake();
    const context = await converse({ sspi });
    expect(context.isEstablished()).toBe(true);
    context.dispose();
    await Promise.resolve();
    expect(calls).toEqual(["acquire", "begin", "go on", "delete context", "free credential"]);
  });

  it("gives the credentials back when there never was a context, and the context when it never was whole", async () => {
    const refused = fake({ init: () => Promise.reject(new SspiError("init", 0x80090303)) });
    const first = authentication(refused).begin(SERVER);
    await failure(first.step(undefined, signal));
    first.dispose();
    const half = fake();
    const second = authentication(half).begin(SERVER);
    await second.step(undefined, signal);
    second.dispose();
    await new Promise((resolve) => setImmediate(resolve));
    expect(refused.calls).toEqual(["acquire", "free credential"]);
    expect(half.calls).toEqual(["acquire", "begin", "delete context", "free credential"]);
  });

  it.each([
    ["CONTOSO\\anna", { user: "anna", domain: "CONTOSO" }],
    ["contoso.com\\anna", { user: "anna", domain: "contoso.com" }],
    ["anna@contoso.com", { user: "anna@contoso.com", domain: "" }],
    ["anna", { user: "anna", domain: "" }],
  ])("hands %s over as Windows wants it, and the password in UTF-16", async (username, identity) => {
    const using = fake();
    await converse(using, username, "pä55");
    expect(using.accounts).toEqual([{ ...identity, password: Buffer.from("pä55", "utf16le") }]);
  });

  it("uses the account that is logged on where none is given", async () => {
    const using = fake();
    await converse(using);
    expect(using.accounts).toEqual([undefined]);
  });

  it.each<[string, Partial<Sspi>, string | undefined, object]>([
    ["the context", {}, undefined, { principal: "anna@CONTOSO.COM", isPrincipalAgreed: true }],
    [
      "what was asked for",
      { nameInContext: () => undefined },
      "CONTOSO\\svc",
      { principal: "CONTOSO\\svc", isPrincipalAgreed: false },
    ],
    [
      "the credentials",
      { nameInContext: () => undefined, nameInCredential: () => "CONTOSO\\EX01$" },
      undefined,
      { principal: "CONTOSO\\EX01$", isPrincipalAgreed: false },
    ],
    [
      "who has logged on",
      { nameInContext: () => undefined, nameInCredential: () => undefined },
      undefined,
      { principal: "CONTOSO\\anna", isPrincipalAgreed: false },
    ],
  ])("says who we are: from %s", async (_from, changes, username, expected) => {
    const context = await converse(fake(changes), username, username === undefined ? undefined : "x");
    expect(context.describe?.()).toEqual({ service: "HTTP/ex01.contoso.com", ...expected });
  });

  it.each([2, 0x10, 0x10000])("refuses a server when what was agreed on lacks %i", async (attribute) => {
    const init = ({ context }: { readonly context: unknown }): Promise<ContextResult> =>
      Promise.resolve({
        context: Buffer.from("context"),
        token: Buffer.from("token"),
        isComplete: context !== undefined,
        attributes: ALL & ~attribute,
        expiry: 0n,
      });
    const error = await failure(converse(fake({ init })));
    expect([error.code, error.facts.fate]).toEqual(["AuthenticationRefused", "notDone"]);
    expect(error.message).toMatch(/mutual authentication and encryption were not agreed on/);
  });

  it("cuts messages as Windows does: TOKEN is the signature, and filler stands behind the data where there is any", async () => {
    const plain = await converse(fake());
    const message = Buffer.from("message");
    expect(plain.sealing?.seal(message)).toEqual({ signature: header(), data: message });
    const filled = await converse(
      fake({ encrypt: () => ({ token: header(2), data: message, padding: Buffer.from("ff") }) }),
    );
    expect(filled.sealing?.seal(message)).toEqual({
      signature: header(2),
      data: Buffer.from("messageff"),
      paddingLength: 2,
    });
  });

  it("asks for the sizes of messages, once, and takes them as they come", async () => {
    const asked: unknown[] = [];
    let times = 0;
    const context = await converse(
      fake({
        sizes: () => {
          times++;
          return { trailer: 76, block: 8 };
        },
        encrypt: (_context, clear, sizes) => {
          asked.push(sizes);
          return { token: header(), data: Buffer.from(clear), padding: Buffer.alloc(0) };
        },
      }),
    );
    context.sealing?.seal(Buffer.from("a"));
    context.sealing?.seal(Buffer.from("b"));
    expect([times, asked]).toEqual([
      1,
      [
        { trailer: 76, block: 8 },
        { trailer: 76, block: 8 },
      ],
    ]);
  });

  it("refuses to send what is encrypted with RC4, and to read it", async () => {
    const token = Buffer.from("602f06092a864886f71201020202011100ffffffff", "hex");
    const context = await converse(fake({ encrypt: () => ({ token, data: token, padding: Buffer.alloc(0) }) }));
    expect(() => context.sealing?.seal(Buffer.from("a"))).toThrow(/RC4.*AES/);
    expect(() => context.sealing?.open({ signature: token, data: token })).toThrow(/RC4.*AES/);
  });

  it.each([0x8009030f, 0x80090310, 0x80090308])(
    "claims nothing about a request whose answer fails with %i",
    async (status) => {
      const context = await converse(
        fake({
          decrypt: () => {
            throw new SspiError("unwrap", status);
          },
        }),
      );
      const open = (): unknown => context.sealing?.open({ signature: header(), data: Buffer.from("x") });
      expect(open).toThrow(/forged, came twice, or is out of order/);
      expect(open).toThrow(expect.objectContaining({ code: "HttpUnexpected" }));
    },
  );
});

describe("how long a ticket may be used", () => {
  /** FILETIME of a moment in the local time of this process. */
  const local = (moment: Date): bigint =>
    BigInt(moment.getTime() - moment.getTimezoneOffset() * 60_000 + 11_644_473_600_000) * 10_000n;

  it("is told in local time", () => {
    expect(secondsUntil(local(new Date(NOW.getTime() + 36_000_000)), NOW)).toBe(36_000);
    expect(secondsUntil(local(new Date(NOW.getTime() - 60_000)), NOW)).toBe(-60);
  });

  it.each([0x7fffffffffffffffn, 0x7fffff36d5969fffn])("may be for ever: %i", (never) => {
    expect(secondsUntil(never, NOW)).toBeGreaterThan(86_400 * 365);
  });
});
