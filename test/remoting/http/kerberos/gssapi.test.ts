import { loadGssapi } from "../../../../provider/remoting/http/kerberos/gssapi";
import type { Koffi } from "../../../../provider/remoting/http/kerberos/nativeCalls";

describe("the system's GSSAPI", () => {
  it("says how to install koffi where it is missing", () => {
    const loadKoffi = (): never => {
      throw new Error("Cannot find module 'koffi'");
    };
    expect(() => loadGssapi({ platform: "linux", loadKoffi })).toThrow(
      /the package koffi.*Cannot find module 'koffi'.*npm install koffi/,
    );
  });

  it("says what to install where MIT's library is missing, on musl and with Heimdal too", () => {
    const koffi = {
      config: () => ({}),
      load: (file: string) => {
        throw new Error(`${file}: cannot open shared object file`);
      },
    } as unknown as Koffi;
    const load = () => loadGssapi({ platform: "linux", loadKoffi: () => koffi });
    expect(load).toThrow(/libgssapi_krb5\.so\.2: cannot open shared object file/);
    expect(load).toThrow(
      /Heimdal's doesn't do.*libgssapi-krb5-2 on Debian and Ubuntu, krb5-libs on Fedora, RHEL and Alpine/,
    );
    expect(load).toThrow(expect.objectContaining({ code: "SettingsRefused" }));
  });
});
