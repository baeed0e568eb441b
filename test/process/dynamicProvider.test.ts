import { ProviderCallError, startDynamicProvider, type DynamicProvider } from "./dynamicProvider";

/** Answers with what it was given, so that the way there and back can be seen. */
const ECHO = `
  let config;
  exports.handler = () => ({
    configure: async (request) => { config = request.config; },
    check: async (olds, news) => news.wish === "refused"
      ? { inputs: news, failures: [{ property: "wish", reason: "refused, as wished" }] }
      : { inputs: { ...news, checked: true, backend: config.get("exchange:backend"), hadOlds: olds.wish ?? "nothing" } },
    diff: async (id, olds, news) => ({ changes: olds.wish !== news.wish, replaces: news.wish === "replace" ? ["wish"] : [] }),
    create: async (inputs) => {
      console.log("creating", inputs.wish);
      if (inputs.wish === "half") {
        throw Object.assign(new Error("half-way"), { id: "half-id", properties: { done: ["import"] }, reasons: ["enable failed"] });
      }
      if (inputs.wish === "nothing") throw new Error("nothing was done");
      return { id: "the-id", outs: { ...inputs, directory: process.cwd() } };
    },
    read: async (id, props) => id === "gone" ? {} : { id, props, inputs: { wish: "as it is" } },
    update: async (id, olds, news) => ({ outs: { ...news, before: olds.wish } }),
    delete: async (id) => { if (id === "kept") throw new Error("it must stay"); },
  });`;

describe("the dynamic provider process of the Pulumi SDK", () => {
  let provider: DynamicProvider;

  beforeAll(async () => {
    provider = await startDynamicProvider({ providerText: ECHO, config: { "exchange:backend": "simulator" } });
  });

  it("passes stack configuration of any namespace, and inputs both ways", async () => {
    const { inputs, failures } = await provider.check({ wish: "old" }, { wish: "new", services: ["IIS", "SMTP"] });
    expect(failures).toEqual([]);
    expect(inputs).toEqual({
      wish: "new",
      services: ["IIS", "SMTP"],
      checked: true,
      backend: "simulator",
      hadOlds: "old",
    });
  });

  it("reports a failed check by property", async () => {
    const { failures } = await provider.check({}, { wish: "refused" });
    expect(failures).toEqual([{ property: "wish", reason: "refused, as wished" }]);
  });

  it("tells no change, change and replacement apart", async () => {
    expect(await provider.diff("id", { wish: "same" }, { wish: "same" })).toMatchObject({ changes: "none" });
    expect(await provider.diff("id", { wish: "one" }, { wish: "two" })).toMatchObject({
      changes: "some",
      replaces: [],
    });
    expect(await provider.diff("id", { wish: "one" }, { wish: "replace" })).toMatchObject({ replaces: ["wish"] });
  });

  it("runs in the program's directory and passes on what the provider prints", async () => {
    const { id, properties } = await provider.create({ wish: "made" });
    expect(id).toBe("the-id");
    expect(properties["directory"]).toBe(provider.directory);
    await provider.printed("creating made");
  });

  it("carries id, properties and reasons of a partial failure", async () => {
    const error = await provider.create({ wish: "half" }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ProviderCallError);
    expect((error as ProviderCallError).partial).toEqual({
      id: "half-id",
      properties: { done: ["import"] },
      reasons: ["enable failed"],
    });
  });

  it("carries nothing but the message of a failure without an id", async () => {
    const error = await provider.create({ wish: "nothing" }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ message: "nothing was done", status: "UNKNOWN", partial: undefined });
  });

  it("answers a read with inputs and outputs, and with an empty id for what is gone", async () => {
    expect(await provider.read("there", { wish: "as it was" })).toEqual({
      id: "there",
      properties: { wish: "as it was" },
      inputs: { wish: "as it is" },
    });
    expect(await provider.read("gone", { wish: "as it was" })).toMatchObject({ id: "" });
  });

  it("updates, and deletes or refuses to", async () => {
    expect(await provider.update("id", { wish: "old" }, { wish: "new" })).toEqual({
      properties: { wish: "new", before: "old" },
    });
    await expect(provider.delete("id", {})).resolves.toBeUndefined();
    await expect(provider.delete("kept", {})).rejects.toThrow("it must stay");
  });

  it("says everything it has printed when it ends", async () => {
    const another = await startDynamicProvider({ providerText: ECHO });
    await another.create({ wish: "the last words" });
    expect(await another.end()).toContain("creating the last words");
  });
});
