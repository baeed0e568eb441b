import { overwriteRule } from "../../../provider/backends/remote/overwriteQuestion";
import { integerOf } from "../../../provider/remoting/clixml/reading";
import { type ChoicePrompt, choicePromptParameters, type HostCall } from "../../../provider/remoting/psrp/hostCall";

const NEW = "E2B663ABE9B9FDCFCD80986F151BC9A1378509AB";
const OLD = "33B3BB4B500041DF82AD23649BE9199589D966B6";

/** The question as servers put it. */
function question(changes: Partial<ChoicePrompt> = {}): HostCall {
  const labels = ["&Yes", "Yes to &All", "&No", "No to A&ll"];
  const prompt = {
    caption: "Confirm",
    message: `Overwrite the existing default SMTP certificate?\n\nCurrent certificate: '${OLD}'\nReplace it with certificate: '${NEW.toLowerCase()}'`,
    choices: labels.map((label) => ({ label, helpMessage: "" })),
    defaultChoice: 0,
    ...changes,
  };
  return {
    callId: 1n,
    method: "PromptForChoice",
    methodNumber: 26,
    parameters: choicePromptParameters(prompt),
    isVoid: false,
  };
}

const labelled = (...labels: string[]) => ({ choices: labels.map((label) => ({ label, helpMessage: "" })) });
const answer = (replace: boolean, call: HostCall): number | undefined => integerOf(overwriteRule(NEW, replace)(call));

describe("the question about the default SMTP certificate", () => {
  it("is answered as the plan says", () => {
    expect(answer(true, question())).toBe(0);
    expect(answer(false, question())).toBe(2);
  });

  it.each([
    ["German", ["&Ja", "Ja, &alle", "&Nein", "Nein, &keine", "&Anhalten"], 0, 2],
    ["Japanese", ["はい(&Y)", "すべて続行(&A)", "いいえ(&N)", "すべて無視(&L)"], 0, 2],
    ["French, with two choices", ["&Oui", "&Non"], 0, 1],
    ["English, in another order", ["&No", "&Yes"], 1, 0],
  ])("is understood in %s", (_language, labels, yes, no) => {
    const asked = question({ message: `Zertifikat ${NEW}?`, ...labelled(...labels) });
    expect(answer(true, asked)).toBe(yes);
    expect(answer(false, asked)).toBe(no);
  });

  it.each([
    ["another certificate", question({ message: `Remove certificate with thumbprint ${OLD}?` })],
    ["nothing that is known", question({ message: "Are you sure?" })],
    ["a name", { ...question(), method: "ReadLine", methodNumber: 11 } as const],
  ])("is the only one that is answered, not one about %s", (_what, call) => {
    expect(answer(true, call)).toBeUndefined();
    expect(answer(false, call)).toBeUndefined();
  });

  it("isn't answered No when nobody could say which choice that is", () => {
    expect(answer(false, question(labelled("はい", "たぶん", "いいえ")))).toBeUndefined();
  });
});
