import { FAULTS } from "./soak/world";
import { soak, summaryOf } from "./soak/soak";

/* A hundred random programs here; `npm run soak` tells ten thousand, and `-- --seed` these ones again. */

it("keeps the laws through drift, faults, kills and time, whatever a program asks for", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { finding, programs, counts } = await soak(100, seed);
  expect(finding).toBeUndefined();
  expect(programs).toBe(100);
  const came = summaryOf(counts);
  for (const what of [
    ...[
      "up",
      "up with a fault",
      "up, killed",
      "preview",
      "refresh",
      "destroy",
      "by hand",
      "later",
      "declare",
      "drop",
    ].map((command) => `command: ${command}`),
    ...Object.keys(FAULTS).map((fault) => `fault: ${fault}`),
    ...["importCertificate", "enableServices", "removeCertificate"].map((call) => `call: ${call}`),
    ...["up: done", "up: refused", "up, killed: killed", "up with a fault: failed"],
  ]) {
    expect(came).toContain(what);
  }
});
