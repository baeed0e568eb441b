import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { runCommandLine } from "../../../../provider/backends/simulator/commandLine";
import { makeEndpointCertificate } from "../../../../provider/backends/simulator/endpoint/tlsCertificate";
import { defaultOrganisation } from "../../simulatedServer";
import { RawClient } from "../endpoint/rawClient";

let directory: string;
beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), "serve-")));
  await writeFile(join(directory, ".exchange-simulator.json"), JSON.stringify(await defaultOrganisation()));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const ADMIN = `Basic ${Buffer.from("admin:from standard input").toString("base64")}`;

interface Surroundings {
  readonly environment?: Record<string, string>;
  readonly typed?: string;
  /** What happens while it runs; gets the line on standard output. */
  readonly meanwhile?: (url: string) => Promise<void>;
}

async function run(command: string, { environment = {}, typed, meanwhile }: Surroundings = {}) {
  const out: string[] = [];
  const errors: string[] = [];
  const code = await runCommandLine(command.split(" "), {
    workingDirectory: directory,
    environment,
    out: (text) => out.push(text),
    error: (text) => errors.push(text),
    isInteractive: typed !== undefined,
    ask: () => Promise.resolve(typed),
    readStandardInput: () => Promise.resolve("from standard input\n"),
    interrupted: () => (meanwhile === undefined ? Promise.resolve() : meanwhile(out[0] ?? "")),
  });
  return { code, out: out.join("\n"), errors: errors.join("\n") };
}

/** Status of an empty request with these credentials: 500 is the fault for what isn't SOAP, so it was let in. */
function knock(url: string, password: string, ca?: string, path = "/PowerShell/"): Promise<number | undefined> {
  const authorization = `Basic ${Buffer.from(`admin:${password}`).toString("base64")}`;
  const options = { method: "POST", path, headers: { authorization }, agent: false, ...(ca !== undefined && { ca }) };
  return new Promise((resolve, reject) => {
    const send = url.startsWith("https:") ? httpsRequest : httpRequest;
    const sent = send(url, options, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.once("error", reject);
    sent.end();
  });
}

describe("exchange-simulator serve", () => {
  it.each([
    ["serve --user admin --password-stdin", "Give --tls"],
    ["serve --basic-over-http --host 0.0.0.0 --user admin --password-stdin", "not on 0.0.0.0"],
    ["serve --basic-over-http --tls --user admin --password-stdin", "exclude each other"],
    ["serve --basic-over-http --ca-file x --user admin --password-stdin", "--ca-file goes with --tls"],
    ["serve --basic-over-http --follow-iis --user admin --password-stdin", "--follow-iis goes with --tls"],
    ["serve --tls --cert x --user admin --password-stdin", "both --cert and --key"],
    ["serve --tls --cert x --key y --user admin --password-stdin", "can't be read"],
    ["serve --tls --ca-file no/such/folder/ca.pem --user admin --password-stdin", "can't be written"],
    ["serve --tls --password-stdin", "Give --user"],
    ["serve --tls --user admin", "--password-env NAME or --password-stdin"],
    ["serve --tls --port 65536 --user admin --password-stdin", "--port is a whole number up to 65535"],
    ["serve --tls --cookie maybe --user admin --password-stdin", "--cookie is demanded, set or none"],
    ["serve --tls --fail nonsense --user admin --password-stdin", "responseCut, shellExpired"],
    ["serve something --tls --user admin --password-stdin", "serve takes nothing behind it"],
    ["show --tls", "--tls is an option of: exchange-simulator serve"],
  ])("refuses: %s", async (command, text) => {
    const { code, out, errors } = await run(command);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(errors).toContain(text);
  });

  it("ends with 1 when it can't listen, or when there is no such server", async () => {
    const { code, errors } = await run("serve --basic-over-http --port 0 --server ex09 --user admin --password-stdin");
    expect(code).toBe(1);
    expect(errors).toContain("It has: ex01.contoso.com, ex02.contoso.com.");
  });

  it("serves over http on this machine until it is interrupted, and then no more", async () => {
    let url = "";
    const command = "serve --basic-over-http --port 0 --user admin --password-env PW";
    const { code, out } = await run(command, {
      environment: { PW: "s3cret" },
      meanwhile: async (line) => {
        url = line;
        expect(await knock(url, "s3cret")).toBe(500);
        expect(await knock(url, "another")).toBe(401);
      },
    });
    expect({ code, out }).toEqual({ code: 0, out: url });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/PowerShell\/$/);
    await expect(knock(url, "s3cret")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("takes the password from standard input or from the terminal", async () => {
    const command = "serve --basic-over-http --port 0 --user admin";
    const meanwhile = (password: string) => async (url: string) => {
      expect(await knock(url, password)).toBe(500);
    };
    await run(`${command} --password-stdin`, { meanwhile: meanwhile("from standard input") });
    await run(command, { typed: "typed", meanwhile: meanwhile("typed") });
    expect.assertions(2);
  });

  it("lets the requests fail that it is told to", async () => {
    await run("serve --basic-over-http --port 0 --user admin --password-stdin --fail unavailable@Delete", {
      meanwhile: async (url) => {
        const one = new RawClient({ port: Number(new URL(url).port) }, { headers: { Authorization: ADMIN } });
        await one.open();
        await expect(one.delete()).rejects.toThrow("HTTP 503");
        expect(await one.delete()).toEqual({ kind: "deleted" });
      },
    });
    expect.assertions(2);
  });

  it("makes a certificate on the spot, and writes its authority beside the organisation", async () => {
    const { code, errors } = await run("serve --tls --port 0 --user admin --password-stdin", {
      meanwhile: async (url) => {
        const ca = await readFile(join(directory, "exchange-simulator-ca.pem"), "utf8");
        expect(await knock(url, "from standard input", ca)).toBe(500);
        await expect(knock(url, "from standard input")).rejects.toThrow(/certificate/);
      },
    });
    expect(code).toBe(0);
    expect(errors).toContain(join(directory, "exchange-simulator-ca.pem"));
  });

  it("takes a certificate of its own", async () => {
    const made = makeEndpointCertificate(["127.0.0.1"], { now: new Date(), randomBytes });
    await writeFile(join(directory, "server.pem"), made.certificate);
    await writeFile(join(directory, "server.key"), made.privateKey.reveal());
    const command = "serve --tls --cert server.pem --key server.key --port 0 --user admin --password-stdin";
    const { code } = await run(command, {
      meanwhile: async (url) => {
        expect(await knock(url, "from standard input", made.authority)).toBe(500);
      },
    });
    expect(code).toBe(0);
  });

  it("has help of its own", async () => {
    const { code, out } = await run("serve --help");
    expect(code).toBe(0);
    for (const option of [
      "--port",
      "--tls",
      "--ca-file",
      "--basic-over-http",
      "--projection",
      "--cookie",
      "--signing",
    ]) {
      expect(out).toContain(option);
    }
  });
});
