import { loadKerberos } from "../../../../provider/remoting/http/kerberos/loadKerberos";
import type { Koffi } from "../../../../provider/remoting/http/kerberos/nativeCalls";

const now = (): Date => new Date(0);

function loading(platform: string): { readonly libraries: readonly string[]; readonly error: unknown } {
  const libraries: string[] = [];
  const koffi = {
    config: () => ({}),
    load: (file: string) => {
      libraries.push(file);
      throw new Error(`${file} isn't there`);
    },
  } as unknown as Koffi;
  try {
    loadKerberos({ native: { platform, loadKoffi: () => koffi }, now, environment: {} });
  } catch (error) {
    return { libraries, error };
  }
  throw new Error("It was loaded.");
}

describe("Kerberos of this system", () => {
  it.each([
    ["linux", "libgssapi_krb5.so.2"],
    ["freebsd", "libgssapi_krb5.so.2"],
    ["win32", "secur32.dll"],
  ])("on %s is that of %s alone", (platform, library) => {
    const { libraries, error } = loading(platform);
    expect(libraries).toEqual([library]);
    expect(error).toMatchObject({ code: "SettingsRefused", message: expect.stringContaining(library) });
  });

  it("isn't even tried on macOS, where Linux and Windows are named first, and Basic last and for labs", () => {
    const { libraries, error } = loading("darwin");
    expect(libraries).toEqual([]);
    expect(error).toMatchObject({
      code: "SettingsRefused",
      message: expect.stringMatching(/on macOS it isn't there\. .*on Linux or Windows; for a lab.*Basic over https/),
    });
  });
});
