import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";

import type * as PfxBagsModule from "../../provider/certificate/pfxBags";

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
      // The other half, so that this test can fail: a file with the one cipher that Node lacks does load it.
      const { openPfx } = jest.requireActual<typeof PfxBagsModule>(path.join(folder, "pfxBags"));
      openPfx(readFileSync(path.join(__dirname, "fixtures", "openssl1-rc2.pfx")), "exchange-test");
      expect(loaded).toBe(true);
    });
  });
});
