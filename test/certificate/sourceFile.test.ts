import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { readSourceFile, SourceFileRefused } from "../../provider/certificate/sourceFile";

// Pipes, devices and sockets have names in the file system there alone, and links lead over several steps.
const onPosix = process.platform === "win32" ? it.skip : it;

let directory = "";
const at = (name: string): string => path.join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), "source-file-"));
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

async function refusal(file: string, limits?: Parameters<typeof readSourceFile>[1]): Promise<string> {
  try {
    await readSourceFile(file, limits);
  } catch (error) {
    if (error instanceof SourceFileRefused) return error.message;
    throw error;
  }
  throw new Error("it was read");
}

describe("a file of certificates", () => {
  const bytes = Buffer.alloc(200_000, 7);

  it("is read whole", async () => {
    writeFileSync(at("whole.pem"), bytes);
    expect(Buffer.from(await readSourceFile(at("whole.pem"))).equals(bytes)).toBe(true);
  });

  onPosix("is read through links, as certbot and mounted secrets have them", async () => {
    mkdirSync(at("archive"));
    mkdirSync(at("live"));
    writeFileSync(at("archive/cert1.pem"), bytes);
    symlinkSync("../archive/cert1.pem", at("live/cert.pem"));
    symlinkSync("live", at("current"));
    expect(Buffer.from(await readSourceFile(at("current/cert.pem"))).equals(bytes)).toBe(true);
  });

  it("may be empty; what that means is for others to say", async () => {
    writeFileSync(at("empty"), "");
    expect(await readSourceFile(at("empty"))).toHaveLength(0);
  });

  onPosix("isn't waited for when it is a pipe", async () => {
    execFileSync("mkfifo", [at("pipe")]);
    symlinkSync("pipe", at("link-to-pipe"));
    expect(await refusal(at("pipe"))).toBe("it is a pipe, not a file");
    expect(await refusal(at("link-to-pipe"))).toBe("it is a pipe, not a file");
  });

  it.each([
    ["/", "it is a directory, not a file"],
    ["/no/such/file", "it isn't there"],
  ])("is refused as what it is: %s", async (file, reason) => {
    expect(await refusal(file)).toBe(reason);
  });

  onPosix.each([
    ["/dev/zero", "it is a device, not a file"],
    ["/dev/null", "it is a device, not a file"],
    ["/dev/null/file", "a part of its path isn't a directory"],
  ])("is refused as what it is: %s", async (file, reason) => {
    expect(await refusal(file)).toBe(reason);
  });

  onPosix("is refused as what it is: a socket, and links in a circle", async () => {
    const server = createServer().listen(at("socket"));
    await new Promise((resolve) => server.once("listening", resolve));
    expect(await refusal(at("socket"))).toBe("it is a socket, not a file");
    await new Promise((resolve) => server.close(resolve));
    symlinkSync("b", at("a"));
    symlinkSync("a", at("b"));
    expect(await refusal(at("a"))).toBe("its links lead in a circle");
  });

  onPosix.each([
    ["/dev/zero", "it is a device, not a file"],
    [".", "it is a directory, not a file"],
    ["server", "it is a socket, not a file"],
  ])("is refused behind a link, and behind a link to one, as what it is: %s", async (target, reason) => {
    const server = createServer().listen(at("server"));
    await new Promise((resolve) => server.once("listening", resolve));
    try {
      symlinkSync(target, at("first"));
      symlinkSync("first", at("second"));
      expect([await refusal(at("first")), await refusal(at("second"))]).toEqual([reason, reason]);
    } finally {
      for (const link of ["first", "second"]) rmSync(at(link), { force: true });
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it("is refused when it is longer than any of its kind, also where it doesn't tell its length", async () => {
    writeFileSync(at("long"), Buffer.alloc(2 * 1024 * 1024 + 1));
    const limits = { maxBytes: 1024 * 1024 };
    expect(await refusal(at("long"), limits)).toContain("more than 1 MiB");
    if (process.platform === "linux") expect(await refusal("/proc/kallsyms", limits)).toContain("more than 1 MiB");
  });

  it("isn't read any more when the signal has fired", async () => {
    writeFileSync(at("some"), "x");
    const signal = AbortSignal.abort(new Error("too late"));
    await expect(readSourceFile(at("some"), { signal })).rejects.toThrow("too late");
  });
});
