import { readdirSync } from "node:fs";
import path from "node:path";

import type * as Asn1Module from "../../provider/certificate/asn1";

const folder = path.join(__dirname, "../../provider/certificate");

describe("importing the certificate modules", () => {
  it("doesn't load node-forge, which only some runs need", () => {
    let loaded = false;
    jest.isolateModules(() => {
      jest.doMock("node-forge", () => {
        loaded = true;
        return jest.requireActual<object>("node-forge");
      });
      for (const file of readdirSync(folder)) jest.requireActual<object>(path.join(folder, file));
      expect(loaded).toBe(false);
      // The other half, so that this test can fail: reading something does load it.
      const { readAsn1 } = jest.requireActual<typeof Asn1Module>(path.join(folder, "asn1"));
      readAsn1(new Uint8Array([0x30, 0]));
      expect(loaded).toBe(true);
    });
  });
});
