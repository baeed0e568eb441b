import type { Declared } from "./bindingProgram";
import { makeProject, mustSucceed, type EngineProject, type ProjectOptions } from "./engine";

/** Where the engine finds the plugin: in the installed package. */
const PLUGIN_DIRECTORY = "node_modules/pulumi-exchange-certificates/bin";
export const TOKEN = "exchange:index:ExchangeCertificateBinding";
const DYNAMIC_TOKEN = "pulumi-nodejs:dynamic/exchange:ExchangeCertificateBinding";

/** What an SDK made from the schema would have. */
export const NATIVE_CLASSES = `
  const pulumi = require("@pulumi/pulumi");
  const OUTPUTS = ["thumbprint", "heldServices", "services", "notAfter"];
  class ExchangeCertificateBinding extends pulumi.CustomResource {
    constructor(name, args, opts = {}) {
      const props = { ...args };
      for (const output of OUTPUTS) props[output] ??= undefined;
      super("${TOKEN}", name, props, pulumi.mergeOptions(opts, { aliases: [{ type: "${DYNAMIC_TOKEN}" }] }));
    }
  }
  class Provider extends pulumi.ProviderResource {
    constructor(name, args, opts) { super("exchange", name, args, opts); }
  }
`;

/** A program in JavaScript that declares native bindings, each with its arguments and options as JavaScript text. */
export function nativeProgramOf(bindings: Declared, options = "{}"): string {
  const declarations = Object.entries(bindings).map(
    ([name, args]) => `const ${name} = new ExchangeCertificateBinding(${JSON.stringify(name)}, ${args}, ${options});`,
  );
  return `${NATIVE_CLASSES}\n${declarations.join("\n")}`;
}

export const NATIVE_PROJECT_FILE = JSON.stringify({
  name: "project",
  runtime: { name: "nodejs", options: { typescript: false } },
  plugins: { providers: [{ name: "exchange", path: PLUGIN_DIRECTORY }] },
});

/** A project whose `exchange` provider is the plugin of the installed package. */
export async function makeNative(program: string, more: Partial<ProjectOptions> = {}): Promise<EngineProject> {
  const project = await makeProject({
    program,
    config: { "exchange:backend": "simulator" },
    ...more,
    files: { ...more.files, "Pulumi.yaml": NATIVE_PROJECT_FILE },
  });
  if (more.config === undefined) mustSucceed(await project.simulator("init"));
  return project;
}
