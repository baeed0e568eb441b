import type { Backend } from "../../provider/backends/backend";
import { INPUT_KEYS } from "../../provider/inputs";
import { stored } from "../backends/simulator/lab";
import {
  BUILT_IN,
  EX01,
  EX02,
  MAIL,
  MAIL_PFX,
  RENEWED,
  RENEWED_PFX,
  SELF_SIGNED,
  binding,
  farm,
  fqdn,
  openBench,
  type Bag,
  type Bench,
} from "./bench";
import { called } from "../identities";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

function withMail(): ReturnType<typeof farm> {
  return farm({ certificates: [stored(BUILT_IN, { privateKey: { networkServiceRead: true } }), stored(MAIL)] });
}

async function failures(bench: Bench, news: Bag, olds: Bag = {}): Promise<readonly string[]> {
  const { failures: found } = await bench.lifecycle.check(olds, news);
  return found.map(({ property, reason }) => `${property}: ${reason}`);
}

describe("a new binding", () => {
  it("is accepted with its inputs in their normal form and the facts of its certificate", async () => {
    const bench = openBench();
    const { inputs } = await bench.lifecycle.check(
      {},
      binding({ server: "EX01.contoso.com", services: ["smtp", "IIS"] }),
    );
    expect(inputs).toMatchObject({
      server: EX01,
      services: ["IIS", "SMTP"],
      thumbprint: MAIL.facts.thumbprint,
      notAfter: MAIL.facts.notAfter,
    });
  });

  it("says what will happen, each line with server and binding", async () => {
    const bench = openBench();
    await bench.checked(binding({ services: ["IIS", "SMTP"] }));
    for (const line of bench.lines) expect(line).toMatch(/^\[ex01\.contoso\.com\] mail: /);
    const said = bench.lines.join("\n");
    expect(said).toContain(`plan: imports ${MAIL.facts.thumbprint.slice(0, 8)}`);
    expect(said).toContain(`IIS leaves ${BUILT_IN.facts.thumbprint.slice(0, 8)}`);
    expect(said).toContain(`the default SMTP certificate stays ${BUILT_IN.facts.thumbprint.slice(0, 8)}`);
  });

  it("says it once, however often the engine asks", async () => {
    const bench = openBench();
    await bench.checked(binding());
    const said = bench.lines.length;
    await bench.checked(binding());
    expect(bench.lines).toHaveLength(said);
  });

  it("says nothing of what it will do while it is refused", async () => {
    const bench = openBench();
    await failures(bench, binding({ services: ["FTP"] }));
    expect(bench.lines).toEqual([]);
  });

  it("learns from the server what a thumbprint alone doesn't tell", async () => {
    const { thumbprint, subject, notAfter } = MAIL.facts;
    const inputs = await openBench(withMail()).checked(binding({ certificate: { thumbprint } }));
    expect(inputs).toMatchObject({ thumbprint, subject, notAfter });
  });

  it("changes nothing on the server", async () => {
    const bench = openBench();
    const before = await bench.store.read();
    await bench.checked(binding({ services: ["IIS", "SMTP", "IMAP"] }));
    expect(await bench.store.read()).toBe(before);
    expect(bench.calls).toEqual([`readSnapshot ${EX01}`]);
  });
});

describe("what is refused at preview", () => {
  it("is all of it at once: the inputs' own mistakes and those that only the server shows", async () => {
    const bench = openBench();
    const found = await failures(
      bench,
      binding({ certificate: { thumbprint: MAIL.facts.thumbprint }, services: ["UM"], requireSsl: "no" }),
    );
    expect(found).toEqual([
      expect.stringMatching(/^requireSsl: /),
      expect.stringMatching(/^certificate: certificate .* isn't on ex01\.contoso\.com/),
    ]);
  });

  it("says of each mistake once, also when inputs and server both show it", async () => {
    const wildcard = { selfSigned: { dnsNames: ["*.contoso.com"] } };
    const found = await failures(openBench(), binding({ certificate: wildcard, services: ["IMAP"] }));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^imapCertificateName: /);
  });

  it("is a server that another one answers for", async () => {
    const bench = openBench();
    await bench.break(EX01, { answersAs: EX02 });
    expect(await failures(bench, binding())).toEqual([
      expect.stringMatching(/^server: .*ex02\.contoso\.com answered instead/),
    ]);
  });

  it("is a service that can't be released, where an existing binding no longer declares it", async () => {
    const bench = openBench();
    const { inputs } = await bench.make(binding({ services: ["IIS", "SMTP"] }));
    const found = await failures(bench, binding({ services: ["SMTP"] }), inputs);
    expect(found).toEqual([expect.stringMatching(/^services: IIS was removed.*Ways out: /)]);
    expect(await failures(bench, binding({ services: ["SMTP"], onServiceRemoved: "forget" }), inputs)).toEqual([]);
  });

  it("never names a property whose value may hold a secret, and never says a secret", async () => {
    const bench = openBench();
    const wrong = { pfx: MAIL_PFX.pfx, password: "not-the-pass-word" };
    const { failures: found } = await bench.lifecycle.check({}, binding({ certificate: wrong }));
    expect(found.map(({ property }) => property)).toEqual([""]);
    expect(JSON.stringify(found)).not.toContain("not-the-pass-word");

    const expired = await openBench(undefined, { now: new Date("2040-01-01T00:00:00Z") }).lifecycle.check(
      {},
      binding(),
    );
    expect(expired.failures).toEqual([
      { property: "", reason: expect.stringMatching(/^certificate: .*expired/) as string },
    ]);
  });
});

describe("bindings of one program", () => {
  const other = (changes: Bag): Bag => binding({ ...called("post"), certificate: RENEWED_PFX, ...changes });

  it.each([
    ["an exclusive service", { services: ["IIS"] }, { services: ["IIS"] }],
    ["the default SMTP role", { replaceDefaultSmtpCertificate: true }, { replaceDefaultSmtpCertificate: true }],
    [
      "different names for IMAP",
      { services: ["IMAP"], imapCertificateName: "mail.contoso.com" },
      { services: ["IMAP"], imapCertificateName: "imap.contoso.com" },
    ],
  ])("don't claim %s of one server together: the later one is refused, both named", async (_what, mine, theirs) => {
    const bench = openBench();
    await bench.checked(binding(mine));
    const [found, ...more] = await failures(bench, other(theirs));
    expect(more).toEqual([]);
    expect(found).toMatch(/"mail".*"post"|"post".*"mail"/);
    expect(await failures(bench, other({ ...theirs, server: EX02 }))).toEqual([]);
  });

  it("may claim the same for the same certificate", async () => {
    const bench = openBench();
    await bench.checked(binding({ services: ["IIS"] }));
    expect(await failures(bench, other({ services: ["IIS"], certificate: MAIL_PFX }))).toEqual([]);
  });

  it("are told apart also where no server may be asked", async () => {
    const bench = openBench(undefined, { config: { "exchange:offline": "true" } });
    await bench.checked(binding({ services: ["IIS"] }));
    expect(await failures(bench, other({ services: ["IIS"] }))).toHaveLength(1);
  });

  it("may count on a certificate that one checked earlier will import", async () => {
    const bench = openBench();
    const second = other({ certificate: { thumbprint: MAIL.facts.thumbprint }, services: ["IIS"] });
    expect(await failures(bench, second)).toEqual([expect.stringContaining("no binding of this program imports it")]);
    await bench.checked(binding());
    expect(await failures(bench, second)).toEqual([]);
    expect(bench.lines.join("\n")).toContain('binding "mail" of this program imports it');
  });

  it("may count on it also while something else of the other is still unknown", async () => {
    const bench = openBench();
    await bench.checked(binding({ services: ["SMTP", UNKNOWN] }));
    const second = other({ certificate: { thumbprint: MAIL.facts.thumbprint }, services: ["IIS"] });
    expect(await failures(bench, second)).toEqual([]);
  });
});

describe("values that a preview doesn't know yet", () => {
  const full = binding({
    replaceDefaultSmtpCertificate: true,
    requireSsl: true,
    imapCertificateName: "imap.contoso.com",
    popCertificateName: "pop.contoso.com",
    successor: RENEWED.facts.thumbprint,
    onServiceRemoved: "forget",
    onDelete: "retain",
    friendlyName: "mine",
    privateKeyExportable: true,
    renewBeforeDays: 20,
    timeoutSeconds: 60,
  });

  it.each([...INPUT_KEYS])("break nothing: %s", async (key) => {
    const bench = openBench();
    for (const olds of [{}, full]) {
      const { failures: found, inputs } = await bench.lifecycle.check(olds, { ...full, [key]: UNKNOWN });
      expect(found).toEqual([]);
      expect(inputs[key]).toBe(UNKNOWN);
    }
  });

  it.each<[string, Bag]>([
    ["in the services", { services: [UNKNOWN] }],
    ["in a wish", { certificate: { selfSigned: { dnsNames: [UNKNOWN] } } }],
    ["everywhere", Object.fromEntries(INPUT_KEYS.map((key) => [key, UNKNOWN]))],
  ])("break nothing deeper down either: %s", async (_where, changes) => {
    const { failures: found, inputs } = await openBench().lifecycle.check({}, { ...full, ...changes });
    expect(found).toEqual([]);
    expect(inputs).toMatchObject(changes);
  });

  // What is known of it may be the key.
  it.each([
    ["a PFX", { pfx: UNKNOWN, password: UNKNOWN }, { form: UNKNOWN }],
    ["the password of a file", { pfxFile: "mail.pfx", password: UNKNOWN }, { form: UNKNOWN }],
    ["a PEM text", { pem: { certificate: "x", privateKey: UNKNOWN } }, { form: UNKNOWN }],
    ["a path", { pemFiles: { certificateFile: UNKNOWN, privateKeyFile: "key.pem" } }, { form: UNKNOWN }],
    ["a form", { form: UNKNOWN }, { form: UNKNOWN }],
    ["a thumbprint", { thumbprint: UNKNOWN }, { thumbprint: UNKNOWN }],
    ["a choice", { onServer: { dnsNames: [UNKNOWN] } }, { onServer: { dnsNames: [UNKNOWN] } }],
  ])("leave nothing of a source in which they are but its shape, which a saved plan keeps: %s", async (...row) => {
    const [, certificate, shape] = row;
    const { failures: found, inputs } = await openBench().lifecycle.check({}, { ...full, certificate });
    expect(found).toEqual([]);
    expect(inputs["certificate"]).toEqual(shape);
    expect(inputs).toMatchObject({ thumbprint: UNKNOWN, subject: UNKNOWN, notAfter: UNKNOWN });
  });
});

describe("the servers of a deployment", () => {
  it("are each read once, whatever asks, also at the same time", async () => {
    const bench = openBench();
    await Promise.all([
      bench.checked(binding()),
      bench.checked(binding({ ...called("post") })),
      bench.checked(binding({ ...called("far"), server: EX02 })),
    ]);
    expect(bench.calls.sort()).toEqual([`readSnapshot ${EX01}`, `readSnapshot ${EX02}`]);
  });

  it("are read ahead where the configuration names them: the first check begins with all", async () => {
    const config = { "exchange:servers": `${EX01},${EX02}` };
    for (const news of [binding(), binding({ services: UNKNOWN }), binding({ server: UNKNOWN })]) {
      const bench = openBench(undefined, { config });
      await bench.checked(news);
      await bench.checked(binding({ ...called("far"), server: EX02 }));
      await bench.checked(binding({ ...called("near") }));
      expect(bench.calls.sort()).toEqual([`readSnapshot ${EX01}`, `readSnapshot ${EX02}`]);
      const first = openBench(undefined, { config });
      await first.checked(news);
      await new Promise((resolve) => setImmediate(resolve));
      expect(first.calls.sort()).toEqual([`readSnapshot ${EX01}`, `readSnapshot ${EX02}`]);
    }
  });

  it("aren't asked again by every binding when they can't be reached", async () => {
    const bench = openBench();
    await bench.break(EX01, { unreachable: true });
    await failures(bench, binding());
    await failures(bench, binding({ ...called("post") }));
    expect(bench.calls).toEqual([`readSnapshot ${EX01}`]);
  });
});

describe("a setting that can't be read", () => {
  it("is refused as such, and not as a mistake in the server's name", async () => {
    const bench = openBench(undefined, { config: { "exchange:onUnreachable": "ignore" } });
    expect(await failures(bench, binding())).toEqual([
      ': Reading the configuration: exchange:onUnreachable is "ignore"; it may be "fail" (the default) or "continue".',
    ]);
  });

  it("that is nearly one of ours is told once, and is no mistake", async () => {
    const bench = openBench();
    bench.deployment.configure(() => undefined, undefined, ["exchange:onUnreachabel", "exchange:mine"]);
    bench.deployment.configure(() => undefined, undefined, ["exchange:onUnreachabel", "exchange:mine"]);
    expect(await failures(bench, binding())).toEqual([]);
    expect(await failures(bench, binding(called("other")))).toEqual([]);
    expect(bench.lines.filter((line) => line.includes("onUnreachabel"))).toHaveLength(1);
  });
});

describe("a server that can't be reached", () => {
  it("refuses the preview with server, cause and the ways out", async () => {
    const bench = openBench();
    await bench.break(EX01, { unreachable: true });
    const [found] = await failures(bench, binding());
    expect(found).toMatch(/^server: Reading ex01\.contoso\.com: .*exchange:onUnreachable = continue; or .*--exclude/);
  });

  it("is passed over with onUnreachable = continue, and a line says so", async () => {
    const bench = openBench(undefined, { config: { "exchange:onUnreachable": "continue" } });
    await bench.break(EX01, { unreachable: true });
    expect(await failures(bench, binding())).toEqual([]);
    expect(bench.lines).toEqual([
      expect.stringMatching(/^\[ex01\.contoso\.com\] mail: the server wasn't asked \(Reading ex01/),
    ]);
    expect(await failures(bench, binding({ ...called("far"), server: EX02 }))).toEqual([]);
  });

  it("isn't passed over when it answers and refuses: that is no connection trouble", async () => {
    const bench = openBench(undefined, { config: { "exchange:onUnreachable": "continue" } });
    await bench.break(EX01, { answersAs: EX02 });
    expect(await failures(bench, binding())).toHaveLength(1);
  });

  it("counts as unreachable when it never answers", async () => {
    jest.useFakeTimers();
    try {
      const silent = (real: Backend): Backend => ({ ...real, readSnapshot: () => new Promise(() => undefined) });
      const bench = openBench(undefined, { backend: silent, config: { "exchange:onUnreachable": "continue" } });
      const checked = failures(bench, binding());
      await jest.advanceTimersByTimeAsync(310_000);
      expect(await checked).toEqual([]);
      expect(bench.lines.join()).toMatch(/no end after 300 seconds/);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe("offline", () => {
  it("makes no call at all and checks what can be checked without", async () => {
    const bench = openBench(undefined, {
      config: { "exchange:offline": "true" },
      environment: { EXCHANGE_BACKEND: "" },
    });
    await bench.checked(binding());
    expect(await failures(bench, binding({ services: ["FTP"] }))).toHaveLength(1);
    expect(bench.calls).toEqual([]);
    expect(bench.lines).toEqual([expect.stringContaining("exchange:offline is set")]);
  });
});

describe("an existing binding", () => {
  it("leaves the telling to diff", async () => {
    const bench = openBench();
    const { inputs } = await bench.make(binding());
    const next = bench.again();
    await next.checked(binding({ services: ["IIS", "SMTP"] }), inputs);
    expect(next.lines).toEqual([]);
  });

  it("with a made certificate has no facts among its inputs", async () => {
    const bench = openBench();
    const { inputs } = await bench.make(binding({ certificate: SELF_SIGNED }));
    expect(await bench.again().checked(binding({ certificate: SELF_SIGNED }), inputs)).not.toHaveProperty("thumbprint");
  });
});

it("says what is wrong with the configuration as a refusal, not as a stack trace", async () => {
  const bench = openBench(undefined, { environment: { EXCHANGE_BACKEND: "" } });
  expect(await failures(bench, binding())).toEqual([expect.stringMatching(/No backend is chosen/)]);
});

it("knows no server that isn't there", async () => {
  expect(await failures(openBench(), binding({ server: fqdn("ex99.contoso.com") }))).toEqual([
    expect.stringMatching(/^server: Reading ex99\.contoso\.com: /),
  ]);
});
