import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Inventory, ServerInventory } from "../../provider/backends/inventory";
import type { Endpoint } from "../../provider/backends/simulator/endpoint/endpoint";
import type { Organisation } from "../../provider/backends/simulator/organisation";
import { memoryState } from "../../provider/backends/simulator/stateFile";
import { stored } from "../backends/simulator/lab";
import { defaultOrganisation, EX01, EX02, withFaults, withServer } from "../backends/simulatedServer";
import { makeTestCertificate } from "../certificate/testCertificates";
import { endpointIdentity, PASSWORD, SERVER_NAME, startTestEndpoint, USER } from "../remoting/endpoint";
import { runCommand } from "./commandRun";

const EX03 = "ex03.contoso.com";
const SERVERS = ["--server", `${EX01},${EX02}`, "--server", EX03];

let directory: string;
let organisation: Organisation;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "inventory-"));
  writeFileSync(join(directory, "ca.pem"), endpointIdentity().ca);
  const two = await defaultOrganisation();
  const ex02 = two.servers[EX02];
  if (ex02 === undefined) throw new Error("no server");
  organisation = { ...two, servers: { ...two.servers, [EX03]: { ...ex02, name: "EX03", fqdn: EX03 } } };
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const readOf = (inventory: Inventory, server: string): ServerInventory => {
  const found = inventory.servers.find((one) => one.server === server);
  if (found?.outcome !== "read") throw new Error(`${server} wasn't read`);
  return found;
};

interface Way {
  readonly inventory: (...args: string[]) => Promise<{ code: number; out: string; errors: string }>;
  readonly close: () => Promise<void>;
}

/** Over the simulator's backend, from a file. */
function simulator(state: Organisation): Promise<Way> {
  writeFileSync(join(directory, "organisation.json"), JSON.stringify(state));
  const environment = { EXCHANGE_BACKEND: "simulator", EXCHANGE_SIMULATOR_FILE: "organisation.json" };
  return Promise.resolve({
    inventory: (...args) => runCommand(["inventory", ...args], { workingDirectory: directory, environment }),
    close: () => Promise.resolve(),
  });
}

/** Over the wire, from a served endpoint. */
async function wire(state: Organisation): Promise<Way> {
  const endpoint: Endpoint = await startTestEndpoint({ store: memoryState(state) });
  const environment = {
    EXCHANGE_ENDPOINT: endpoint.url,
    EXCHANGE_AUTHENTICATION: "basic",
    EXCHANGE_USERNAME: USER,
    EXCHANGE_PASSWORD: PASSWORD,
    EXCHANGE_TLS_SERVER_NAME: SERVER_NAME,
    EXCHANGE_CA_FILE: "ca.pem",
  };
  return {
    inventory: (...args) => runCommand(["inventory", ...args], { workingDirectory: directory, environment }),
    close: async () => {
      expect(endpoint.shellCount()).toBe(0);
      await endpoint.close();
    },
  };
}

describe.each([
  ["the simulator", simulator],
  ["the wire", wire],
])("an inventory over %s", (_, begin) => {
  const over = async (state: Organisation, use: (way: Way) => Promise<void>): Promise<void> => {
    const way = await begin(state);
    try {
      await use(way);
    } finally {
      await way.close();
    }
  };
  const asJson = async (way: Way, ...args: string[]) => {
    const { code, out } = await way.inventory(...args, "--json");
    const inventory = JSON.parse(out) as Inventory;
    expect(inventory.exitCode).toBe(code);
    return { code, inventory };
  };

  it("lists every server, also beside one that is dead, and then ends with 1", async () => {
    await over(withFaults(organisation, EX02, { unreachable: true }), async (way) => {
      const { code, out } = await way.inventory(...SERVERS, "--ends-within", "9999");
      expect(code).toBe(1);
      expect(out).toMatch(/^ex01\.contoso\.com {2}Exchange 15\.2\.1748\.10$/m);
      expect(out).toMatch(/^ex02\.contoso\.com\n {2}FAIL {2}ServerUnreachable: /m);
      expect(out).toMatch(/^ex03\.contoso\.com {2}Exchange 15\.1\.2507\.6$/m);
      expect(out).toContain("2 of 3 servers read, 6 certificates. Not read: ex02.contoso.com.");
      const { inventory } = await asJson(way, ...SERVERS);
      expect(inventory.servers.map(({ outcome }) => outcome)).toEqual(["read", "failed", "read"]);
    });
  });

  it("tells services held and displayed, the default SMTP certificate, sites, status and days", async () => {
    await over(organisation, async (way) => {
      const { code, inventory } = await asJson(way, "--server", EX01);
      expect(code).toBe(0);
      const { certificates, defaultSmtp, version, sendConnectors } = readOf(inventory, EX01);
      const [auth, exchange, web] = certificates;
      expect(exchange).toMatchObject({
        displayedServices: { value: ["IIS", "IMAP", "POP", "SMTP"] },
        heldServices: { value: ["IIS", "IMAP", "POP", "SMTP"] },
        iisSites: { value: [1, 2] },
        status: { value: "Valid" },
        usedBy: ["IIS", "IMAP", "POP", "SMTP", "default SMTP", "back end"],
        facts: { commonName: "EX01", daysLeft: 1825 },
      });
      expect(defaultSmtp).toEqual({ value: exchange?.thumbprint });
      expect(auth?.usedBy).toEqual(["SMTP", "Auth"]);
      expect(web?.usedBy).toEqual([]);
      expect(version).toEqual({ value: "15.2.1748.10" });
      expect(sendConnectors).toMatchObject({ value: [{ name: "Outbound to Internet" }] });
    });
  });

  it("ends with 3 when something in use ends within the days, and names it", async () => {
    const ending = makeTestCertificate({
      dnsNames: ["mail.contoso.com"],
      notAfter: new Date(Date.now() + 20 * 86_400_000),
    });
    const unused = withServer(organisation, EX01, ({ certificates }) => ({
      certificates: [...certificates, stored(ending)],
    }));
    await over(unused, async (way) => {
      expect((await asJson(way, "--server", EX01, "--ends-within", "30")).code).toBe(0);
    });
    const used = withServer(unused, EX01, ({ iis }) => ({ iis: { ...iis, frontEnd: ending.facts.thumbprint } }));
    await over(used, async (way) => {
      expect((await asJson(way, "--server", EX01)).code).toBe(0);
      expect((await asJson(way, "--server", EX01, "--ends-within", "5")).code).toBe(0);
      const { code, out } = await way.inventory("--server", EX01, "--ends-within", "30");
      expect(code).toBe(3);
      expect(out).toMatch(
        new RegExp(`ending within 30 days:\\n {2}ex01\\.contoso\\.com {2}${ending.facts.thumbprint} `),
      );
      // A server that couldn't be read goes first.
      expect((await way.inventory("--server", `${EX01},ex09.contoso.com`, "--ends-within", "30")).code).toBe(1);
    });
  });

  it("never takes unknown for none: what isn't told may be in use", async () => {
    const untold = withFaults(organisation, EX01, { servicesUnknown: true });
    await over(untold, async (way) => {
      const { code, inventory } = await asJson(way, "--server", EX01, "--ends-within", "9999");
      expect(code).toBe(3);
      for (const one of readOf(inventory, EX01).certificates) {
        expect(one).toMatchObject({ displayedServices: { unknown: expect.any(String) as string }, endsSoon: true });
      }
      const { out } = await way.inventory("--server", EX01);
      expect(out).toContain("Unknown: services of certificates, because: ");
      expect(out).toMatch(/ {2}\? {2}/);
    });
  });

  it("tells which connectors name a certificate, and which name none that is there", async () => {
    const [server] = Object.values(organisation.servers);
    const name = "<I>CN=EX01<S>CN=EX01";
    const changed = {
      ...withServer(organisation, EX01, ({ receiveConnectors }) => ({
        receiveConnectors: receiveConnectors.map((one, at) => (at === 0 ? { ...one, tlsCertificateName: name } : one)),
      })),
      sendConnectors: [
        { name: "Out", fqdn: null, tlsCertificateName: "<I>CN=Gone<S>CN=Gone", sourceServers: ["EX01"] },
      ],
    };
    expect(server?.fqdn).toBe(EX01);
    await over(changed, async (way) => {
      const { inventory } = await asJson(way, "--server", EX01);
      expect(readOf(inventory, EX01).certificates[1]?.usedBy).toContain("connector EX01\\Default EX01");
      const { out } = await way.inventory("--server", EX01);
      expect(out).toContain("! connector Out names <I>CN=Gone<S>CN=Gone, which no certificate here is");
    });
  });
});

describe("an inventory that isn't to be had", () => {
  it("makes no simulated organisation where there is none", async () => {
    const environment = { EXCHANGE_SIMULATOR_FILE: "none.json" };
    const { code, errors } = await runCommand(["inventory", "--server", EX01, "--backend", "simulator"], {
      workingDirectory: directory,
      environment,
    });
    expect(code).toBe(1);
    expect(errors).toContain("Make one with exchange-simulator init");
    expect(existsSync(join(directory, "none.json"))).toBe(false);
  });

  it.each([
    [["inventory"], /Name a server: exchange-certificates inventory --server/],
    [["inventory", "--server", EX01, "--ends-within", "soon"], /--ends-within is a number of days from 0 to 9999/],
    [
      ["doctor", "--server", EX01, "--ends-within", "3"],
      /--ends-within is an option of: exchange-certificates inventory/,
    ],
  ])("ends with 2 when it wasn't understood: %j", async (args, message) => {
    const { code, out, errors } = await runCommand(args, { workingDirectory: directory });
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(errors).toMatch(message);
  });
});
