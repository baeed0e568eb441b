import { SETTING_KEYS } from "../../../provider/config";
import { INPUT_DEFAULTS, INPUT_KEYS } from "../../../provider/inputs";
import { OUTPUT_KEYS } from "../../../provider/outputKeys";
import { isSecretKey, SOURCE_KEYS } from "../../../provider/sourceKeys";
import { makeSchema } from "../../../tools/native/schema.cjs";

interface Property {
  readonly type?: string;
  readonly $ref?: string;
  readonly items?: Property;
  readonly description?: string;
  readonly secret?: boolean;
  readonly default?: unknown;
  readonly replaceOnChanges?: boolean;
}
type Properties = Readonly<Record<string, Property>>;
interface Schema {
  readonly types: Readonly<
    Record<string, { readonly properties?: Properties; readonly enum?: readonly { value: string }[] }>
  >;
  readonly config: { readonly variables: Properties };
  readonly resources: Readonly<
    Record<
      string,
      {
        readonly inputProperties: Properties;
        readonly requiredInputs: readonly string[];
        readonly properties: Properties;
        readonly aliases: unknown;
      }
    >
  >;
}

const facts = {
  version: "1.2.3",
  defaults: INPUT_DEFAULTS,
  isSecret: isSecretKey,
  settings: SETTING_KEYS.map(({ key }) => key),
};
const schema = makeSchema(facts) as unknown as Schema;
const binding = schema.resources["exchange:index:ExchangeCertificateBinding"];
const typeOf = (name: string) => schema.types[`exchange:index:${name}`];

describe("the schema of the native plugin", () => {
  it("has the inputs and the outputs that the life cycle has, and says which are needed", () => {
    expect(Object.keys(binding?.inputProperties ?? {}).toSorted()).toEqual([...INPUT_KEYS].toSorted());
    expect(binding?.requiredInputs).toEqual(["server", "certificate", "services"]);
    const outputs = ["server", "services", ...OUTPUT_KEYS];
    expect(Object.keys(binding?.properties ?? {}).toSorted()).toEqual(outputs.toSorted());
  });

  it("lets the plugin be downloaded from the package's own repository, and from nowhere while there is none", () => {
    expect(schema).not.toHaveProperty("pluginDownloadURL");
    for (const repository of ["git+https://github.com/contoso/exchange.git", "https://github.com/contoso/exchange"])
      expect(makeSchema({ ...facts, repository })).toMatchObject({
        pluginDownloadURL: "github://api.github.com/contoso/exchange",
      });
    expect(() => makeSchema({ ...facts, repository: "https://git.contoso.com/exchange" })).toThrow("git.contoso.com");
  });

  it("has the parts of all certificate sources in one type, and marks those that are secret", () => {
    expect(binding?.inputProperties["certificate"]?.$ref).toBe("#/types/exchange:index:CertificateSource");
    const parts = typeOf("CertificateSource")?.properties ?? {};
    const exposures = Object.values(SOURCE_KEYS).flatMap((keys) => Object.entries(keys));
    expect(Object.keys(parts).toSorted()).toEqual([...new Set(exposures.map(([key]) => key))].toSorted());
    for (const [key, exposure] of exposures)
      expect([key, parts[key]?.secret === true]).toEqual([key, exposure === "secret"]);
    expect(schema.config.variables["password"]?.secret).toBe(true);
  });

  it("has enumerations, defaults, and the input whose change always replaces", () => {
    expect(binding?.inputProperties["services"]?.items?.$ref).toBe("#/types/exchange:index:ServiceName");
    expect(typeOf("ServiceName")?.enum?.map(({ value }) => value)).toEqual([
      "IIS",
      "IMAP",
      "POP",
      "SMTP",
      "UM",
      "UMCallRouter",
    ]);
    expect(typeOf("OnDelete")?.enum?.map(({ value }) => value)).toEqual(["retain", "remove"]);
    for (const [key, value] of Object.entries(INPUT_DEFAULTS))
      expect(binding?.inputProperties[key]?.default).toBe(value);
    expect(binding?.inputProperties["server"]?.replaceOnChanges).toBe(true);
  });

  it("describes everything, and takes the place of the dynamic type", () => {
    const all = [
      ...Object.entries(binding?.inputProperties ?? {}),
      ...Object.entries(binding?.properties ?? {}),
      ...Object.entries(typeOf("CertificateSource")?.properties ?? {}),
      ...Object.entries(schema.config.variables),
    ];
    expect(all.filter(([, { description = "" }]) => description === "").map(([key]) => key)).toEqual([]);
    expect(binding?.aliases).toEqual([{ type: "pulumi-nodejs:dynamic/exchange:ExchangeCertificateBinding" }]);
  });
});
