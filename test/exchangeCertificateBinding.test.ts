import * as pulumi from "@pulumi/pulumi";

import { ExchangeCertificateBinding } from "../provider";
import type { ExchangeCertificateBindingArgs } from "../provider";
import { PROVIDER_TEXT } from "./providerText";

interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

const registered: Registered[] = [];
/** The inputs as they are sent to the engine. */
const sent = new Map<string, Registered["inputs"]>();

const ENDS = new Date(Date.now() + 30.5 * 24 * 60 * 60 * 1000).toISOString();

/** How the engine's protocol marks a secret. */
const SECRET = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };

interface Monitor {
  registerResource(
    request: { getName(): string; getObject(): { toJavaScript(): Registered["inputs"] } },
    done: unknown,
  ): unknown;
}

beforeAll(async () => {
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, id }) => {
        registered.push({ type, name, inputs: sent.get(name) ?? (inputs as Registered["inputs"]) });
        const isFound = id !== undefined && id !== "";
        return {
          id: isFound ? id : `${name}-id`,
          state: { ...(inputs as object), thumbprint: "AB", ...(isFound && { notAfter: ENDS }) },
        };
      },
      call: () => ({}),
    },
    "contoso",
    "prod",
  );
  // The mocks see secrets moved up to whole inputs; the engine gets them where they were marked.
  const monitor = pulumi.runtime.getMonitor() as Monitor | undefined;
  if (monitor === undefined) throw new Error("there is no monitor to listen at");
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, done) => {
    sent.set(request.getName(), request.getObject().toJavaScript());
    return register(request, done);
  };
});

function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}

/** Registers a binding; what was registered, and whether the engine was told to keep its certificate secret. */
async function declare(
  name: string,
  args: Partial<ExchangeCertificateBindingArgs> = {},
  opts: pulumi.CustomResourceOptions = {},
): Promise<{ readonly binding: ExchangeCertificateBinding; readonly inputs: Registered["inputs"] }> {
  const binding = new ExchangeCertificateBinding(
    name,
    {
      server: "ex01.contoso.com",
      certificate: { thumbprint: "AB" },
      services: ["SMTP"],
      ...args,
    },
    opts,
  );
  await valueOf(binding.urn);
  const found = registered.findLast((one) => one.name === name);
  if (found === undefined) throw new Error(`"${name}" wasn't registered`);
  return { binding, inputs: found.inputs };
}

const urnOf = (name: string, parents = ""): string =>
  `urn:pulumi:prod::contoso::${parents}pulumi-nodejs:dynamic/exchange:ExchangeCertificateBinding::${name}`;

describe("a declared binding", () => {
  it("has the type token that stands in every state", async () => {
    await declare("token");
    expect(registered.at(-1)?.type).toBe("pulumi-nodejs:dynamic/exchange:ExchangeCertificateBinding");
  });

  it("carries the same provider text as every version before and after it", async () => {
    const { inputs } = await declare("text");
    expect(inputs["__provider"]).toBe('exports.handler = () => require("pulumi-exchange-certificates/provider");');
    expect(inputs["__provider"]).toBe(PROVIDER_TEXT);
  });

  it("tells the provider who it is", async () => {
    const { inputs } = await declare("mail");
    expect(inputs).toMatchObject({ bindingUrn: urnOf("mail"), bindingLabel: "mail" });
  });

  it("is told apart from others of its name by its parents, which stand in its label", async () => {
    const outer = new pulumi.ComponentResource("contoso:index:Farm", "farm");
    const inner = new pulumi.ComponentResource("contoso:index:Site", "web", {}, { parent: outer });
    for (const name of ["under one", "under the same"]) {
      expect((await declare(name, {}, { parent: inner })).inputs).toMatchObject({
        bindingUrn: urnOf(name, "contoso:index:Farm$contoso:index:Site$"),
        bindingLabel: `farm/web/${name}`,
      });
    }
  });

  it("says when the old one is to be deleted first, and only then", async () => {
    expect((await declare("first", {}, { deleteBeforeReplace: true })).inputs).toMatchObject({
      bindingDeleteBeforeReplace: true,
    });
    expect((await declare("later")).inputs).not.toHaveProperty("bindingDeleteBeforeReplace");
  });

  it("passes on every input as it was given, and no output", async () => {
    const { inputs } = await declare("plain", { onDelete: "retain", timeoutSeconds: 60 });
    expect(inputs).toEqual({
      server: "ex01.contoso.com",
      certificate: { thumbprint: "AB" },
      services: ["SMTP"],
      onDelete: "retain",
      timeoutSeconds: 60,
      bindingUrn: urnOf("plain"),
      bindingLabel: "plain",
      __provider: PROVIDER_TEXT,
    });
  });

  it("has its outputs as properties", async () => {
    const { binding } = await declare("outputs");
    expect(await valueOf(binding.thumbprint)).toBe("AB");
    expect(pulumi.Output.isInstance(binding.heldServices)).toBe(true);
  });

  it("is recognised, and nothing else is", async () => {
    const { binding } = await declare("recognised");
    expect(ExchangeCertificateBinding.isInstance(binding)).toBe(true);
    for (const other of [undefined, null, "mail", {}, new pulumi.ComponentResource("a:b:c", "other")]) {
      expect(ExchangeCertificateBinding.isInstance(other)).toBe(false);
    }
  });
});

describe("what is secret in a certificate source", () => {
  it.each<[string, ExchangeCertificateBindingArgs["certificate"], object]>([
    [
      "the PFX and its password",
      { pfx: "AA", password: "pw" },
      { pfx: { ...SECRET, value: "AA" }, password: { ...SECRET, value: "pw" } },
    ],
    [
      "the same as outputs",
      { pfx: pulumi.output("AA"), password: pulumi.output("pw") },
      { pfx: { ...SECRET, value: "AA" }, password: { ...SECRET, value: "pw" } },
    ],
    [
      "what was marked already, once",
      { pfx: pulumi.secret("AA"), password: pulumi.secret("pw") },
      { pfx: { ...SECRET, value: "AA" }, password: { ...SECRET, value: "pw" } },
    ],
    [
      "the PEM texts as a whole",
      { pem: { certificate: "C", privateKey: pulumi.output("K") } },
      { pem: { ...SECRET, value: { certificate: "C", privateKey: "K" } } },
    ],
    [
      "PEM texts that are an output",
      { pem: pulumi.output({ certificate: "C", privateKey: "K" }) },
      { pem: { ...SECRET, value: { certificate: "C", privateKey: "K" } } },
    ],
    [
      "the password of a file, and not its path",
      { pfxFile: "mail.pfx", password: "pw" },
      { pfxFile: "mail.pfx", password: { ...SECRET, value: "pw" } },
    ],
    [
      "nothing of a file with a variable",
      { pfxFile: "mail.pfx", passwordEnv: "PW" },
      { pfxFile: "mail.pfx", passwordEnv: "PW" },
    ],
    [
      "nothing of a wish",
      { selfSigned: { dnsNames: ["mail.contoso.com"] } },
      { selfSigned: { dnsNames: ["mail.contoso.com"] } },
    ],
  ])("is marked although nobody said so: %s", async (what, certificate, marked) => {
    expect((await declare(`secret ${what}`, { certificate })).inputs["certificate"]).toEqual(marked);
  });

  it("is everything where the source comes as an output or a promise as a whole", async () => {
    const source = { pfx: "AA", password: "pw" };
    for (const [kind, certificate] of [
      ["output", pulumi.output(source)],
      ["promise", Promise.resolve(source)],
    ] as const) {
      const { inputs } = await declare(`whole ${kind}`, { certificate });
      expect(inputs["certificate"]).toEqual({ ...SECRET, value: source });
    }
  });

  it("is everything where a program without types gives something else", async () => {
    const given = "MIIKUgIBAzCC" as unknown as ExchangeCertificateBindingArgs["certificate"];
    const { inputs } = await declare("untyped", { certificate: given });
    expect(inputs["certificate"]).toEqual({ ...SECRET, value: given });
  });

  it("may be missing in a program without types: check says so, not an exception", async () => {
    const nothing = null as unknown as ExchangeCertificateBindingArgs["certificate"];
    expect((await declare("null", { certificate: nothing })).inputs["certificate"] ?? null).toBeNull();
    const untyped = undefined as unknown as ExchangeCertificateBindingArgs;
    expect(() => new ExchangeCertificateBinding("without", untyped)).not.toThrow();
  });
});

describe("looking up a binding that exists", () => {
  it("reads it by its id, with the provider's text to do so", async () => {
    const id = `ex01.contoso.com/${"AB".repeat(20)}`;
    const found = ExchangeCertificateBinding.get("found", id);
    expect(await valueOf(found.id)).toBe(id);
    expect(registered.findLast(({ name }) => name === "found")).toMatchObject({
      type: ExchangeCertificateBinding.__pulumiType,
      inputs: { __provider: PROVIDER_TEXT },
    });
  });
});

describe("the days that are left", () => {
  it("are worked out in the program, of a binding that was looked up too, and sent to nobody", async () => {
    const found = ExchangeCertificateBinding.get("found", "ex01.contoso.com/AB");
    expect(await valueOf(found.daysLeft)).toBe(30);
    const inputs = registered.find(({ name }) => name === "found")?.inputs;
    expect(Object.keys(inputs ?? { daysLeft: 0 })).not.toContain("daysLeft");
  });
});

describe("the SDK's stacks", () => {
  const args: ExchangeCertificateBindingArgs = {
    server: "ex01.contoso.com",
    certificate: { selfSigned: { dnsNames: ["mail.contoso.com"] } },
    services: ["SMTP"],
  };
  /** How deep stacks are while the SDK reads an option. */
  const depthIn = (name: string): { readonly inside: readonly number[]; readonly afterwards: number } => {
    const inside: number[] = [];
    const opts = {
      get retainOnDelete() {
        inside.push(Error.stackTraceLimit);
        return false;
      },
    };
    const { stackTraceLimit } = Error;
    try {
      Error.stackTraceLimit = 37;
      try {
        new ExchangeCertificateBinding(name, args, opts);
      } catch {
        // A name that is none.
      }
      return { inside, afterwards: Error.stackTraceLimit };
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  };

  it("are short while a binding is made, as a thousand of them take long, and as before afterwards", () => {
    const { inside, afterwards } = depthIn("short");
    expect(inside).toContain(1);
    expect(inside).not.toContain(37);
    expect(afterwards).toBe(37);
    expect(depthIn("").afterwards).toBe(37);
  });

  it("are as they are where somebody looks for promises that leak", () => {
    process.env["PULUMI_DEBUG_PROMISE_LEAKS"] = "true";
    try {
      expect(depthIn("whole").inside).toContain(37);
    } finally {
      delete process.env["PULUMI_DEBUG_PROMISE_LEAKS"];
    }
  });
});
