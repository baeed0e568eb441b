import { conceal, reveal } from "../../../provider/frontends/native/secretValues";

const UNKNOWN = Symbol("unknown");
const secret = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  value,
});
const output = (rest: object) => ({ "4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4", ...rest });

describe("marks of secrets", () => {
  it("are taken off and put back where they were", () => {
    const bag = {
      server: "ex01",
      certificate: { pfxFile: "mail.pfx", password: secret("pw") },
      extra: secret({ a: 1 }),
    };
    const { bag: plain, secrets } = reveal(bag, UNKNOWN);
    expect(plain).toEqual({
      server: "ex01",
      certificate: { pfxFile: "mail.pfx", password: "pw" },
      extra: { a: 1 },
    });
    expect(conceal(plain, secrets)).toEqual(bag);
  });

  it("of something in a list are put on the whole list: its order may be another one then", () => {
    const { bag, secrets } = reveal({ services: ["IIS", secret("SMTP")] }, UNKNOWN);
    expect(conceal({ ...bag, services: ["SMTP", "IIS"] }, secrets)).toEqual({ services: secret(["SMTP", "IIS"]) });
  });

  it("are left away where nothing is any more", () => {
    const { secrets } = reveal({ certificate: { pfx: secret("AAAA") } }, UNKNOWN);
    expect(conceal({ certificate: { form: { of: "pfx" } } }, secrets)).toEqual({
      certificate: { form: { of: "pfx" } },
    });
    expect(conceal({ certificate: "a text" }, secrets)).toEqual({ certificate: "a text" });
  });

  it("within one another are one mark", () => {
    const { bag, secrets } = reveal({ certificate: secret({ password: secret("pw") }) }, UNKNOWN);
    expect(conceal(bag, secrets)).toEqual({ certificate: secret({ password: "pw" }) });
  });

  it("are read from outputs of other resources too, of which some aren't known", () => {
    const { bag, secrets } = reveal({ a: output({ value: "x", secret: true }), b: output({}) }, UNKNOWN);
    expect(bag).toEqual({ a: "x", b: UNKNOWN });
    expect(secrets).toEqual([["a"]]);
  });
});
