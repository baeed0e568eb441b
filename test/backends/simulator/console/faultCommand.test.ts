import { FAULTS, switchFault } from "../../../../provider/backends/simulator/console/faultCommand";
import type { Organisation } from "../../../../provider/backends/simulator/organisation";
import { defaultOrganisation, EX01 } from "../../simulatedServer";

let organisation: Organisation;
beforeAll(async () => {
  organisation = await defaultOrganisation();
});

function faultsAfter(...commands: string[]) {
  let current = organisation;
  for (const command of commands) {
    const outcome = switchFault(current, command.split(" "));
    if (outcome.kind !== "changed") throw new Error(outcome.message);
    current = outcome.organisation;
  }
  return current.servers[EX01]?.faults;
}

function refusal(command: string): string {
  const outcome = switchFault(organisation, command.split(" "));
  if (outcome.kind !== "refused") throw new Error(`not refused: ${outcome.message}`);
  return outcome.message;
}

it.each([
  ["ex01.contoso.com unreachable on", { unreachable: true }],
  ["EX01 unreachable", { unreachable: true }],
  ["ex01 SERVICESUNKNOWN on", { servicesUnknown: true }],
  ["ex01 slowMilliseconds 250", { slowMilliseconds: 250 }],
  ["ex01 enableFailsAfter SMTP", { enableFailsAfter: "SMTP" }],
  ["ex01 enableOrder SMTP, IIS", { enableOrder: ["SMTP", "IIS"] }],
  ["ex01 hiddenCmdlets Get-AuthConfig,Get-PopSettings", { hiddenCmdlets: ["Get-AuthConfig", "Get-PopSettings"] }],
  ["ex01 directoryDelay reads=3, milliseconds=50", { directoryDelay: { reads: 3, milliseconds: 50 } }],
  ["ex01 answersAs ex02.contoso.com", { answersAs: "ex02.contoso.com" }],
])("switches a fault on: %s", (command, faults) => {
  expect(faultsAfter(command)).toEqual(faults);
});

it("switches one fault off and leaves the others on", () => {
  const commands = ["ex01 unreachable on", "ex01 slowMilliseconds 5", "ex01 unreachable off"];
  expect(faultsAfter(...commands)).toEqual({ slowMilliseconds: 5 });
});

it("switches everything off", () => {
  expect(faultsAfter("ex01 unreachable on", "ex01 slowMilliseconds 5", "ex01 off")).toEqual({});
});

it("can switch off every fault there is", () => {
  for (const name of Object.keys(FAULTS)) expect(faultsAfter(`ex01 ${name} off`)).toEqual({});
});

it("shows what is on", () => {
  const on = switchFault(organisation, ["ex01", "directoryDelay", "reads=3"]);
  if (on.kind !== "changed") throw new Error(on.message);
  expect(switchFault(on.organisation, ["ex01"])).toEqual({
    kind: "shown",
    message: "ex01.contoso.com: directoryDelay=reads=3",
  });
  expect(switchFault(organisation, ["ex01"]).kind).toBe("shown");
});

it.each([
  ["ex09 unreachable on", /no server "ex09".*ex01\.contoso\.com, ex02\.contoso\.com/],
  ["ex01 unreacheable on", /Did you mean unreachable\?/],
  ["ex01 slowMilliseconds", /slowMilliseconds <number>\|off/],
  ["ex01 slowMilliseconds soon", /slowMilliseconds: .*expected number/],
  ["ex01 enableFailsAfter FTP", /enableFailsAfter: .*"IIS"/],
  ["ex01 directoryDelay weeks=3", /directoryDelay: .*weeks/],
  ["ex01 unreachable perhaps", /unreachable: .*boolean/],
])("refuses %s and says what there is", (command, message) => {
  expect(refusal(command)).toMatch(message);
});
