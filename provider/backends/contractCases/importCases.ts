import assert from "node:assert/strict";
import { Secret } from "../../secret";
import {
  comparable,
  defaultSmtp,
  displayed,
  failsWith,
  findCertificate,
  getCertificate,
  imported,
  importRequest,
  knownValue,
  sites,
  snapshotOf,
  unlimited,
  type CaseDefinition,
} from "./workbench";

/** How a certificate gets into the store, and how it leaves it. */
export const importCases: readonly CaseDefinition[] = [
  {
    title: "imports a certificate with its key and assigns no service",
    run: async (bench) => {
      const before = await snapshotOf(bench);
      const certificate = await bench.certificate("first");
      const result = await bench.backend.importCertificate(bench.server, importRequest(certificate), unlimited);
      assert.equal(result.outcome, "imported");
      const after = await snapshotOf(bench);
      assert.deepEqual(displayed(after, certificate.thumbprint), []);
      assert.deepEqual(sites(after, certificate.thumbprint), []);
      assert.equal(knownValue(getCertificate(after, certificate.thumbprint).hasPrivateKey, "private key"), true);
      const others = after.certificates.filter((one) => one !== findCertificate(after, certificate.thumbprint));
      assert.deepEqual(comparable({ ...after, certificates: others }), comparable(before));
    },
  },
  {
    title: "imports with the friendly name and the exportability that were asked for",
    run: async (bench) => {
      const [first, second] = [await bench.certificate("first"), await bench.certificate("second")];
      const wishes = [
        importRequest(first, { friendlyName: "Contract suite", privateKeyExportable: true }),
        importRequest(second, { privateKeyExportable: false }),
      ];
      for (const wish of wishes) await bench.backend.importCertificate(bench.server, wish, unlimited);
      const snapshot = await snapshotOf(bench);
      assert.equal(
        knownValue(getCertificate(snapshot, first.thumbprint).friendlyName, "friendly name"),
        "Contract suite",
      );
      for (const wish of wishes) {
        const exportable = getCertificate(snapshot, wish.thumbprint).privateKeyExportable;
        assert.equal(knownValue(exportable, "exportability"), wish.privateKeyExportable);
      }
    },
  },
  {
    title: "leaves a certificate as it is when it is imported again",
    run: async (bench) => {
      const certificate = await bench.certificate("first");
      const wish = importRequest(certificate, { friendlyName: "The first name" });
      await bench.backend.importCertificate(bench.server, wish, unlimited);
      const before = comparable(await snapshotOf(bench));
      const again = importRequest(certificate, { friendlyName: "Another name", privateKeyExportable: true });
      const result = await bench.backend.importCertificate(bench.server, again, unlimited);
      assert.equal(result.outcome, "alreadyThere");
      assert.deepEqual(comparable(await snapshotOf(bench)), before);
    },
  },
  {
    title: "refuses an import with a wrong password, without showing it, and stores nothing",
    run: async (bench) => {
      const certificate = await bench.certificate("first");
      const wrong = { ...certificate, password: new Secret(`not-${certificate.password.reveal()}`) };
      await failsWith(
        ["ImportRefused"],
        () => bench.backend.importCertificate(bench.server, importRequest(wrong), unlimited),
        [certificate, wrong],
      );
      assert.equal(findCertificate(await snapshotOf(bench), certificate.thumbprint), undefined);
    },
  },
  {
    title: "refuses to import bytes that are no PFX, without showing them",
    run: async (bench) => {
      const certificate = await bench.certificate("first");
      const broken = { ...certificate, pfx: new Secret(certificate.pfx.reveal().slice(7)) };
      await failsWith(
        ["ImportRefused"],
        () => bench.backend.importCertificate(bench.server, importRequest(broken), unlimited),
        [certificate, broken],
      );
    },
  },
  {
    title: "removes a certificate, and calls it gone when it is removed again",
    run: async (bench) => {
      const { thumbprint } = await imported(bench, "first");
      const removed = await bench.backend.removeCertificate(bench.server, thumbprint, unlimited);
      assert.equal(removed.outcome, "removed");
      assert.equal(findCertificate(await snapshotOf(bench), thumbprint), undefined);
      const again = await bench.backend.removeCertificate(bench.server, thumbprint, unlimited);
      assert.equal(again.outcome, "alreadyGone");
    },
  },
  {
    title: "changes nothing else by importing and removing",
    run: async (bench) => {
      const before = comparable(await snapshotOf(bench));
      const { thumbprint } = await imported(bench, "first");
      await bench.backend.removeCertificate(bench.server, thumbprint, unlimited);
      assert.deepEqual(comparable(await snapshotOf(bench)), before);
    },
  },
  {
    title: "refuses to remove the default SMTP certificate and leaves everything as it is",
    run: async (bench) => {
      const before = await snapshotOf(bench);
      const thumbprint = defaultSmtp(before);
      assert.ok(thumbprint !== undefined, "the harness's server has no default SMTP certificate");
      await failsWith(["RemovalRefused"], () => bench.backend.removeCertificate(bench.server, thumbprint, unlimited));
      assert.deepEqual(comparable(await snapshotOf(bench)), comparable(before));
    },
  },
  {
    title: "refuses to remove a certificate that a send connector names",
    needs: "namedBySendConnector",
    run: async (bench) => {
      const { backend, thumbprint } = await bench.situations.namedBySendConnector();
      await failsWith(["RemovalRefused"], () => backend.removeCertificate(bench.server, thumbprint, unlimited));
      assert.ok(findCertificate(await snapshotOf(bench, backend), thumbprint) !== undefined);
    },
  },
];
