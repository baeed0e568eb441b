import fs from "node:fs";
import { run, runOrThrow } from "../../tools/process.cjs";

/** Starts a process in a group of its own, as Pulumi starts its plugins, prints its id, and never ends. */
const NEVER_ENDS = `
  const { spawn } = require("node:child_process");
  const forever = ["-e", "setInterval(() => undefined, 1000)"];
  const child = spawn(process.execPath, forever, { detached: true, stdio: "ignore" });
  console.log("started " + child.pid);
  setInterval(() => undefined, 1000);
`;

describe("running a program", () => {
  it("gives its exit code and both streams, apart and together", async () => {
    const result = await run(process.execPath, ["-e", 'console.log("out"); console.error("err"); process.exit(3)']);
    expect(result).toMatchObject({ exitCode: 3, stdout: "out\n", stderr: "err\n", timedOut: false });
    expect(result.combined.split("\n").sort()).toEqual(["", "err", "out"]);
  });

  it("ends it at its time limit, with what it has started", async () => {
    const result = await run(process.execPath, ["-e", NEVER_ENDS], { timeLimitSeconds: 2 });
    expect(result).toMatchObject({ exitCode: null, timedOut: true });
    const pid = Number(/started (\d+)/.exec(result.stdout)?.[1]);
    expect(pid).toBeGreaterThan(0);
    // The signal that asks whether it is there may still find it for a moment.
    for (let attempt = 0; attempt < 50 && isThere(pid); attempt += 1)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isThere(pid)).toBe(false);
  });

  it("fails with the end of the output where a failure isn't expected", async () => {
    const failing = runOrThrow(process.execPath, ["-e", 'console.error("the reason"); process.exit(1)']);
    await expect(failing).rejects.toThrow(/exit code 1:\nthe reason/);
  });

  it("says what could not be started", async () => {
    await expect(run("/nowhere/a-program", ["now"])).rejects.toThrow('Running "a-program now" failed');
  });
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // In a container nobody may collect what has ended; it stays as a zombie.
  const stat = `/proc/${String(pid)}/stat`;
  return !(fs.existsSync(stat) && / Z /.test(fs.readFileSync(stat, "utf8")));
}
