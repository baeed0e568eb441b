import assert from "node:assert/strict";
import { parseThumbprint } from "../../certificate/thumbprint";
import { type NameService, SERVICES } from "../../model";
import type { ServerSnapshot } from "../backend";
import {
  comparable,
  defaultSmtp,
  displayed,
  enableRequest,
  failsWith,
  frontEnd,
  imported,
  knownValue,
  sites,
  snapshotOf,
  unlimited,
  type CaseDefinition,
} from "./workbench";

function nameOf(snapshot: ServerSnapshot, service: NameService): string | undefined {
  return knownValue(snapshot[SERVICES[service].nameIn], `certificate name of ${service}`);
}

/** How services get to a certificate. */
export const enablingCases: readonly CaseDefinition[] = [
  {
    title: "adds services to those that a certificate has",
    run: async (bench) => {
      const { thumbprint } = await imported(bench, "first");
      await bench.backend.enableServices(bench.server, enableRequest(thumbprint, ["SMTP"]), unlimited);
      await bench.backend.enableServices(bench.server, enableRequest(thumbprint, ["IIS"]), unlimited);
      const services = displayed(await snapshotOf(bench), thumbprint);
      assert.deepEqual([services.includes("IIS"), services.includes("SMTP")], [true, true]);
    },
  },
  {
    title: "enables several services in one call",
    run: async (bench) => {
      const { thumbprint, dnsNames } = await imported(bench, "first");
      const request = enableRequest(thumbprint, ["IIS", "IMAP", "POP", "SMTP"]);
      await bench.backend.enableServices(bench.server, request, unlimited);
      const snapshot = await snapshotOf(bench);
      assert.deepEqual([...displayed(snapshot, thumbprint)].sort(), ["IIS", "IMAP", "POP", "SMTP"]);
      for (const service of ["IMAP", "POP"] as const) {
        assert.ok(dnsNames.includes((nameOf(snapshot, service) ?? "").toLowerCase()), `${service} has another name`);
      }
    },
  },
  {
    title: "changes nothing when the same services are enabled again, and returns the warnings as texts",
    run: async (bench) => {
      const { thumbprint } = await imported(bench, "first");
      const request = enableRequest(thumbprint, ["IIS", "IMAP", "SMTP"]);
      await bench.backend.enableServices(bench.server, request, unlimited);
      const before = comparable(await snapshotOf(bench));
      const { warnings } = await bench.backend.enableServices(bench.server, request, unlimited);
      assert.ok(warnings.every((warning) => typeof warning === "string" && warning !== ""));
      assert.deepEqual(comparable(await snapshotOf(bench)), before);
    },
  },
  {
    title: "moves IIS from the certificate that has the front end, which keeps its other services",
    run: async (bench) => {
      const [first, second] = [await imported(bench, "first"), await imported(bench, "second")];
      const both = enableRequest(first.thumbprint, ["IIS", "SMTP"]);
      await bench.backend.enableServices(bench.server, both, unlimited);
      await bench.backend.enableServices(bench.server, enableRequest(second.thumbprint, ["IIS"]), unlimited);
      const snapshot = await snapshotOf(bench);
      assert.equal(frontEnd(snapshot), second.thumbprint);
      assert.deepEqual(displayed(snapshot, first.thumbprint), ["SMTP"]);
      assert.deepEqual(sites(snapshot, first.thumbprint), []);
    },
  },
  {
    title: "moves the front end only, whoever has the back end",
    run: async (bench) => {
      const backEnds = (snapshot: ServerSnapshot): number =>
        snapshot.certificates.filter(({ iisSites }) => iisSites.kind === "known" && iisSites.value.includes(2)).length;
      const before = backEnds(await snapshotOf(bench));
      const { thumbprint } = await imported(bench, "first");
      await bench.backend.enableServices(bench.server, enableRequest(thumbprint, ["IIS"]), unlimited);
      const after = await snapshotOf(bench);
      assert.deepEqual(sites(after, thumbprint), [1]);
      assert.equal(backEnds(after), before);
    },
  },
  {
    title: "moves UM and UMCallRouter from the certificate that has them",
    needs: "unifiedMessaging",
    run: async (bench) => {
      const there = { ...bench, backend: await bench.situations.unifiedMessaging() };
      const [first, second] = [await imported(there, "first"), await imported(there, "second")];
      for (const { thumbprint } of [first, second]) {
        const request = enableRequest(thumbprint, ["UM", "UMCallRouter"]);
        await there.backend.enableServices(bench.server, request, unlimited);
      }
      const snapshot = await snapshotOf(there);
      assert.deepEqual(displayed(snapshot, first.thumbprint), []);
      assert.deepEqual([...displayed(snapshot, second.thumbprint)].sort(), ["UM", "UMCallRouter"]);
    },
  },
  {
    title: "enables IIS without requiring SSL when that is asked for",
    run: async (bench) => {
      const { thumbprint } = await imported(bench, "first");
      const request = enableRequest(thumbprint, ["IIS"], { requireSsl: false });
      await bench.backend.enableServices(bench.server, request, unlimited);
      assert.equal(frontEnd(await snapshotOf(bench)), thumbprint);
    },
  },
  {
    title: "keeps the default SMTP certificate when the answer to the overwrite question is No",
    run: async (bench) => {
      const before = defaultSmtp(await snapshotOf(bench));
      const { thumbprint } = await imported(bench, "first");
      await bench.backend.enableServices(bench.server, enableRequest(thumbprint, ["SMTP"]), unlimited);
      const after = await snapshotOf(bench);
      assert.equal(defaultSmtp(after), before);
      assert.deepEqual(displayed(after, thumbprint), ["SMTP"]);
    },
  },
  {
    title: "replaces the default SMTP certificate when the answer is Yes, and the old one keeps SMTP",
    run: async (bench) => {
      const before = defaultSmtp(await snapshotOf(bench));
      assert.ok(before !== undefined, "the harness's server has no default SMTP certificate");
      const { thumbprint } = await imported(bench, "first");
      const yes = enableRequest(thumbprint, ["SMTP"], { replaceDefaultSmtpCertificate: true });
      await bench.backend.enableServices(bench.server, yes, unlimited);
      const after = await snapshotOf(bench);
      assert.equal(defaultSmtp(after), thumbprint);
      assert.ok(displayed(after, before).includes("SMTP"));
    },
  },
  {
    title: "replaces the default SMTP certificate by one that has SMTP already",
    run: async (bench) => {
      const { thumbprint } = await imported(bench, "first");
      await bench.backend.enableServices(bench.server, enableRequest(thumbprint, ["SMTP"]), unlimited);
      const yes = enableRequest(thumbprint, ["SMTP"], { replaceDefaultSmtpCertificate: true });
      await bench.backend.enableServices(bench.server, yes, unlimited);
      assert.equal(defaultSmtp(await snapshotOf(bench)), thumbprint);
    },
  },
  {
    title: "leaves the default SMTP certificate the default one, whatever the answer for itself",
    run: async (bench) => {
      const { thumbprint } = await imported(bench, "first");
      for (const replaceDefaultSmtpCertificate of [true, true, false]) {
        const request = enableRequest(thumbprint, ["SMTP"], { replaceDefaultSmtpCertificate });
        await bench.backend.enableServices(bench.server, request, unlimited);
        assert.equal(defaultSmtp(await snapshotOf(bench)), thumbprint);
      }
    },
  },
  {
    title: "doesn't touch the default SMTP certificate when SMTP isn't among the services",
    run: async (bench) => {
      const before = defaultSmtp(await snapshotOf(bench));
      const { thumbprint } = await imported(bench, "first");
      const request = enableRequest(thumbprint, ["IIS"], { replaceDefaultSmtpCertificate: true });
      await bench.backend.enableServices(bench.server, request, unlimited);
      assert.equal(defaultSmtp(await snapshotOf(bench)), before);
    },
  },
  {
    title: "passes on the server's warning that a wildcard certificate can't have IMAP and POP by itself",
    run: async (bench) => {
      const before = await snapshotOf(bench);
      const { thumbprint } = await imported(bench, "wildcard");
      const request = enableRequest(thumbprint, ["IMAP", "POP"]);
      const { warnings } = await bench.backend.enableServices(bench.server, request, unlimited);
      assert.ok(warnings.length > 0, "the server warns about each of the two");
      const after = await snapshotOf(bench);
      for (const service of ["IMAP", "POP"] as const) assert.equal(nameOf(after, service), nameOf(before, service));
    },
  },
  {
    title: "sets and clears the names of IMAP and POP, each by itself and as often as one likes",
    run: async (bench) => {
      const other = { IMAP: "POP", POP: "IMAP" } as const;
      for (const service of ["IMAP", "POP"] as const) {
        const untouched = nameOf(await snapshotOf(bench), other[service]);
        for (const name of [
          "contract-one.example",
          "contract-two.example",
          "contract-two.example",
          undefined,
          undefined,
        ]) {
          await bench.backend.setCertificateName(bench.server, service, name, unlimited);
          const snapshot = await snapshotOf(bench);
          assert.equal(nameOf(snapshot, service), name);
          assert.equal(nameOf(snapshot, other[service]), untouched);
        }
      }
    },
  },
  {
    title: "shows IMAP on every certificate with the name that is set",
    run: async (bench) => {
      const [first, second] = [await imported(bench, "first"), await imported(bench, "second")];
      await bench.backend.setCertificateName(bench.server, "IMAP", second.dnsNames[0], unlimited);
      const snapshot = await snapshotOf(bench);
      assert.deepEqual(displayed(snapshot, second.thumbprint), ["IMAP"]);
      assert.deepEqual(displayed(snapshot, first.thumbprint), []);
    },
  },
  {
    title: "says by its code that the certificate to enable isn't there",
    run: async (bench) => {
      const { thumbprint } = await bench.certificate("first");
      const request = enableRequest(thumbprint, ["SMTP"]);
      const error = await failsWith(["CertificateNotFound"], () =>
        bench.backend.enableServices(bench.server, request, unlimited),
      );
      assert.ok(error.message.includes(thumbprint), "the message doesn't name the certificate");
    },
  },
  {
    title: "calls a certificate gone that never was there",
    run: async (bench) => {
      const thumbprint = parseThumbprint("00".repeat(20));
      assert.ok(thumbprint !== undefined);
      const { outcome } = await bench.backend.removeCertificate(bench.server, thumbprint, unlimited);
      assert.equal(outcome, "alreadyGone");
    },
  },
  {
    title: "says by its code that the private key is missing",
    needs: "privateKeyMissing",
    run: async (bench) => {
      const { backend, thumbprint } = await bench.situations.privateKeyMissing();
      await failsWith(["PrivateKeyMissing"], () =>
        backend.enableServices(bench.server, enableRequest(thumbprint, ["IIS", "SMTP"]), unlimited),
      );
    },
  },
  {
    title: "says by its code that the server can't give Network Service the private key",
    needs: "privateKeyAccessRefused",
    run: async (bench) => {
      const backend = await bench.situations.privateKeyAccessRefused();
      const { thumbprint } = await imported({ ...bench, backend }, "first");
      await failsWith(["PrivateKeyAccess"], () =>
        backend.enableServices(bench.server, enableRequest(thumbprint, ["SMTP"]), unlimited),
      );
    },
  },
];
