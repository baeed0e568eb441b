import { explicitSettings } from "../../../provider/frontends/native/explicitSettings";

const environment = {
  PATH: "/bin",
  EXCHANGE_ENDPOINT: "https://third.example/PowerShell/",
  EXCHANGE_PASSWORD: "third",
  EXCHANGE_OFFLINE: "true",
  MAIL_PFX_PASSWORD: "pw",
};

describe("the environment for a provider with a configuration of its own", () => {
  it("says nothing of the connection where the configuration says anything of it", () => {
    const given = explicitSettings({ endpoint: "https://first.example/PowerShell/" }, environment);
    expect(given.ignored).toEqual(["EXCHANGE_ENDPOINT", "EXCHANGE_PASSWORD"]);
    expect(given.environment).toEqual({ PATH: "/bin", EXCHANGE_OFFLINE: "true", MAIL_PFX_PASSWORD: "pw" });
  });

  it("counts as for every other provider where the configuration says nothing", () => {
    expect(explicitSettings({}, environment)).toEqual({ environment, ignored: [] });
    expect(explicitSettings({ endpoint: " " }, environment).ignored).toEqual([]);
  });

  it("comes after each setting that is given", () => {
    expect(explicitSettings({ offline: "false" }, environment).ignored).toEqual(["EXCHANGE_OFFLINE"]);
  });

  it("is told to be ignored only where it says something", () => {
    expect(explicitSettings({ backend: "simulator" }, { EXCHANGE_BACKEND: "" }).ignored).toEqual([]);
  });
});
