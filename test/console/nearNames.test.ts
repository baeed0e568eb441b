import { CMDLETS } from "../../provider/backends/simulator/cmdletDefinitions";
import { alternatives, nearNames } from "../../provider/console/nearNames";

const names = CMDLETS.map(({ name }) => name);

it.each([
  ["Enabel-ExchangeCertificate", "Enable-ExchangeCertificate"],
  ["Get-ExchangeCertificates", "Get-ExchangeCertificate"],
  ["get-exchangecert", "Get-ExchangeCertificate"],
  ["Set-IMAPSetting", "Set-ImapSettings"],
])("finds for %s first of all %s", (typed, meant) => {
  expect(nearNames(typed, names)[0]).toBe(meant);
});

it("leaves out what is much further away than the nearest", () => {
  expect(nearNames("Enabel-ExchangeCertificate", names)).toEqual(["Enable-ExchangeCertificate"]);
});

it("finds nothing for a word that is like none", () => {
  expect(nearNames("terraform", names)).toEqual([]);
});

it("joins alternatives as a sentence does", () => {
  expect([["a"], ["a", "b"], ["a", "b", "c"]].map(alternatives)).toEqual(["a", "a or b", "a, b or c"]);
});
