import { generateKeyPairSync } from "node:crypto";
import { parsePrivateKey } from "../../provider/certificate/privateKey";

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

describe("a private key", () => {
  it.each(["pkcs1", "pkcs8"] as const)("is read as %s", (type) => {
    const der = privateKey.export({ format: "der", type });
    expect(parsePrivateKey(der, type)?.equals(privateKey)).toBe(true);
  });

  it.each([
    ["cut off", privateKey.export({ format: "der", type: "pkcs8" }).subarray(0, 100)],
    ["nothing", Buffer.alloc(0)],
    ["something else", Buffer.from("3003020100", "hex")],
  ])("is none where it is %s", (_what, der) => {
    expect(parsePrivateKey(der, "pkcs8")).toBeUndefined();
  });
});
