import assert from "node:assert/strict";
import type { ErrorCode } from "../../errors";
import type { ServerFqdn } from "../../model";
import type { Backend, CallOptions } from "../backend";
import type { TestCertificate } from "./harness";
import {
  comparable,
  enableRequest,
  failsWith,
  imported,
  importRequest,
  snapshotOf,
  unlimited,
  type CaseDefinition,
} from "./workbench";

type Calls = Readonly<Record<string, () => Promise<unknown>>>;

/** Every call of a backend, each with arguments that would do where nothing is in the way. */
function everyCall(backend: Backend, server: ServerFqdn, certificate: TestCertificate, options: CallOptions): Calls {
  const { thumbprint } = certificate;
  return {
    readSnapshot: () => backend.readSnapshot(server, options),
    importCertificate: () => backend.importCertificate(server, importRequest(certificate), options),
    enableServices: () => backend.enableServices(server, enableRequest(thumbprint, ["IIS", "SMTP"]), options),
    setCertificateName: () => backend.setCertificateName(server, "IMAP", "contract-one.example", options),
    setReceiveConnectorCertificate: () =>
      backend.setReceiveConnectorCertificate(server, "contract", undefined, options),
    removeCertificate: () => backend.removeCertificate(server, thumbprint, options),
  };
}

/** Beside {@link everyCall}: what is about the organisation, so that no server need be known, nor up. */
function organisationCalls(backend: Backend, server: ServerFqdn, options: CallOptions): Calls {
  return {
    setSendConnectorCertificate: () => backend.setSendConnectorCertificate(server, "contract", undefined, options),
  };
}

async function eachFailsWith(code: ErrorCode, calls: Calls, certificate: TestCertificate): Promise<void> {
  for (const [name, call] of Object.entries(calls)) {
    try {
      await failsWith([code], call, [certificate]);
    } catch (error) {
      throw new assert.AssertionError({
        message: `${name}: ${error instanceof Error ? error.message : String(error)}`,
      });
    }
  }
}

/** How calls fail and end. */
export const failureCases: readonly CaseDefinition[] = [
  {
    title: "says by its code, in every call, that there is no such server",
    run: async (bench) => {
      const certificate = await bench.certificate("first");
      const calls = everyCall(bench.backend, bench.unknownServer, certificate, unlimited);
      await eachFailsWith("ServerUnknown", calls, certificate);
    },
  },
  {
    title: "says by its code, in every call, that the server can't be asked",
    needs: "unreachable",
    run: async (bench) => {
      const certificate = await bench.certificate("first");
      const backend = await bench.situations.unreachable();
      await eachFailsWith("ServerUnreachable", everyCall(backend, bench.server, certificate, unlimited), certificate);
    },
  },
  {
    title: "names the server in the errors about it",
    run: async (bench) => {
      const error = await failsWith(["ServerUnknown"], () =>
        bench.backend.readSnapshot(bench.unknownServer, unlimited),
      );
      assert.ok(error.message.toLowerCase().includes(bench.unknownServer), error.message);
    },
  },
  {
    title: "works on after a call has failed",
    run: async (bench) => {
      const before = comparable(await snapshotOf(bench));
      await failsWith(["ServerUnknown"], () => bench.backend.readSnapshot(bench.unknownServer, unlimited));
      assert.deepEqual(comparable(await snapshotOf(bench)), before);
    },
  },
  {
    title: "begins no call whose time is up, and changes nothing",
    run: async (bench) => {
      const certificate = await bench.certificate("first");
      await imported(bench, "second");
      const before = comparable(await snapshotOf(bench));
      const ended = { signal: AbortSignal.abort() };
      const calls = {
        ...everyCall(bench.backend, bench.server, certificate, ended),
        ...organisationCalls(bench.backend, bench.server, ended),
      };
      await eachFailsWith("TimedOut", calls, certificate);
      assert.deepEqual(comparable(await snapshotOf(bench)), before);
    },
  },
  {
    title: "ends a call with an error when its time is up, however slow the server is",
    needs: "slow",
    run: async (bench) => {
      const certificate = await bench.certificate("first");
      const backend = await bench.situations.slow();
      for (const name of Object.keys(everyCall(backend, bench.server, certificate, unlimited))) {
        const limit = new AbortController();
        const call = everyCall(backend, bench.server, certificate, { signal: limit.signal })[name];
        assert.ok(call !== undefined);
        const failing = eachFailsWith("TimedOut", { [name]: call }, certificate);
        setTimeout(() => {
          limit.abort();
        }, 50);
        await failing;
      }
    },
  },
  {
    title: "closes once, twice, and without having been used",
    run: async (bench) => {
      const backend = await bench.open();
      await backend.readSnapshot(bench.server, unlimited);
      await backend.close();
      await backend.close();
      await (await bench.open()).close();
    },
  },
  {
    title: "works after it was closed as it did before",
    run: async (bench) => {
      const backend = await bench.open();
      const before = await backend.readSnapshot(bench.server, unlimited);
      await backend.close();
      const after = await backend.readSnapshot(bench.server, unlimited);
      assert.equal(after.server, before.server);
      assert.equal(after.certificates.length, before.certificates.length);
    },
  },
];
