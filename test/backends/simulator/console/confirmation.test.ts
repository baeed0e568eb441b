import { confirm } from "../../../../provider/backends/simulator/console/confirmation";

const question = {
  kind: "overwriteDefaultSmtpCertificate",
  caption: "Confirm",
  message: "Overwrite the existing default SMTP certificate?",
  defaultAnswer: "yes",
} as const;

async function answerTo(...typed: string[]) {
  const prompts: string[] = [];
  const answer = await confirm(question, (prompt) => {
    prompts.push(prompt);
    return Promise.resolve(typed.shift());
  });
  return { answer, prompts };
}

it("asks with Exchange's text and PowerShell's choices", async () => {
  const { prompts } = await answerTo("y");
  expect(prompts).toEqual([
    "\nConfirm\nOverwrite the existing default SMTP certificate?\n" +
      '[Y] Yes  [A] Yes to All  [N] No  [L] No to All  [?] Help (default is "Y"): ',
  ]);
});

it.each([
  ["y", "yes"],
  ["A", "yes"],
  ["", "yes"],
  [" Yes ", "yes"],
  ["n", "no"],
  ["L", "no"],
  ["no", "no"],
])("takes %j for %s", async (typed, answer) => {
  expect((await answerTo(typed)).answer).toBe(answer);
});

it("asks again after help and after what is no answer", async () => {
  const { answer, prompts } = await answerTo("?", "perhaps", "n");
  expect(answer).toBe("no");
  expect(prompts).toHaveLength(3);
  expect(prompts[1]).toContain("whatever else the cmdlet does is done");
});

it("has no answer when the input ends", async () => {
  expect((await answerTo()).answer).toBeUndefined();
});
