import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { parseThumbprint } from "../../certificate/thumbprint";
import { isBindingError } from "../../errors";
import {
  CERTIFICATE_STATUSES,
  DISPLAYED_SERVICES,
  parseServerFqdn,
  UM_STARTUP_MODES,
  type Observed,
} from "../../model";
import type { CertificateSnapshot, ServerSnapshot } from "../backend";
import { comparable, defaultSmtp, findCertificate, snapshotOf, thumbprintOf, type CaseDefinition } from "./workbench";

/** Fails unless the part says what it is, or why it isn't known; a known value has to pass the check. */
function checkPart<T>(name: string, observed: Observed<T>, check: (value: T) => void): void {
  if ((observed as unknown) === undefined) assert.fail(`${name} is left out: an unknown part is unknown("why")`);
  if (observed.kind === "known") {
    check(observed.value);
    return;
  }
  assert.equal(observed.kind, "unknown", `${name} is neither known nor unknown`);
  assert.ok(observed.reason.trim() !== "", `${name} is unknown without a reason`);
}

function optionalText(value: string | undefined, name: string): void {
  assert.ok(value === undefined || (typeof value === "string" && value !== ""), `${name} is an empty text`);
}

function checkCertificate(certificate: CertificateSnapshot): void {
  const name = `certificate ${thumbprintOf(certificate)}`;
  assert.doesNotThrow(() => new X509Certificate(certificate.der), `the bytes of ${name} are no certificate`);
  checkPart(`displayedServices of ${name}`, certificate.displayedServices, (services) => {
    for (const service of services) assert.ok(DISPLAYED_SERVICES.includes(service), `${name} displays "${service}"`);
    assert.equal(new Set(services).size, services.length, `${name} displays a service twice`);
  });
  checkPart(`iisSites of ${name}`, certificate.iisSites, (numbers) => {
    for (const number of numbers) assert.ok(Number.isInteger(number) && number > 0, `${name} has a site ${number}`);
  });
  checkPart(`status of ${name}`, certificate.status, (status) => {
    assert.ok(CERTIFICATE_STATUSES.includes(status), `${name} has status "${status}"`);
  });
  checkPart(`friendlyName of ${name}`, certificate.friendlyName, (value) => {
    assert.equal(typeof value, "string");
  });
  checkPart(`hasPrivateKey of ${name}`, certificate.hasPrivateKey, (value) => {
    assert.equal(typeof value, "boolean");
  });
  checkPart(`privateKeyExportable of ${name}`, certificate.privateKeyExportable, (value) => {
    assert.equal(typeof value, "boolean");
  });
}

/** Every part of a snapshot, one by one: a part that this function doesn't know about can't be promised. */
function checkSnapshot(snapshot: ServerSnapshot): void {
  assert.equal(parseServerFqdn(snapshot.server), snapshot.server, "the server isn't named by its FQDN in lower case");
  const isThumbprint = (text: string | undefined): boolean => text === undefined || parseThumbprint(text) === text;
  checkPart("version", snapshot.version, (version) => {
    for (const part of [version.major, version.minor, version.build, version.revision]) {
      assert.ok(Number.isInteger(part) && part >= 0, "a part of the version is no whole number");
    }
  });
  snapshot.certificates.forEach(checkCertificate);
  const thumbprints = snapshot.certificates.map(thumbprintOf);
  assert.equal(new Set(thumbprints).size, thumbprints.length, "a certificate is there twice");
  checkPart("defaultSmtpThumbprint", snapshot.defaultSmtpThumbprint, (value) => {
    assert.ok(isThumbprint(value), "the default SMTP certificate has no well-formed thumbprint");
  });
  checkPart("imapCertificateName", snapshot.imapCertificateName, (name) => {
    optionalText(name, "imapCertificateName");
  });
  checkPart("popCertificateName", snapshot.popCertificateName, (name) => {
    optionalText(name, "popCertificateName");
  });
  for (const part of ["umStartupMode", "umCallRouterStartupMode"] as const) {
    checkPart(part, snapshot[part], (mode) => {
      assert.ok(mode === undefined || UM_STARTUP_MODES.includes(mode), `${part} is "${String(mode)}"`);
    });
  }
  checkPart("sendConnectors", snapshot.sendConnectors, (connectors) => {
    for (const connector of connectors) {
      assert.notEqual(connector.name, "", "a send connector has no name");
      optionalText(connector.fqdn, `fqdn of ${connector.name}`);
      optionalText(connector.tlsCertificateName, `tlsCertificateName of ${connector.name}`);
      assert.ok(Array.isArray(connector.sourceServers), `${connector.name} has no list of source servers`);
    }
  });
  checkPart("receiveConnectors", snapshot.receiveConnectors, (connectors) => {
    for (const connector of connectors) {
      assert.match(connector.identity, /^[^\\]+\\[^\\]/, "a receive connector is identified by SERVER\\Name");
      optionalText(connector.fqdn, `fqdn of ${connector.identity}`);
      optionalText(connector.tlsCertificateName, `tlsCertificateName of ${connector.identity}`);
    }
  });
  checkPart("authCertificates", snapshot.authCertificates, ({ current, previous, next }) => {
    assert.ok([current, previous, next].every(isThumbprint), "an Auth certificate has no well-formed thumbprint");
  });
  checkPart("federationThumbprints", snapshot.federationThumbprints, (list) => {
    assert.ok(list.every(isThumbprint), "a federation certificate has no well-formed thumbprint");
  });
  checkPart("edgeSubscriptions", snapshot.edgeSubscriptions, (list) => {
    assert.ok(
      list.every((name) => typeof name === "string" && name !== ""),
      "an Edge subscription has no name",
    );
  });
}

/** How a server is read. */
export const readingCases: readonly CaseDefinition[] = [
  {
    title: "names its kind in one word that stays the same",
    run: async (bench) => {
      assert.match(bench.backend.kind, /^\S+$/);
      assert.equal((await bench.open()).kind, bench.backend.kind);
    },
  },
  {
    title: "reads the server that is named, and says its name as the server does",
    run: async (bench) => {
      assert.equal((await snapshotOf(bench)).server, bench.server);
    },
  },
  {
    title: "says of every part of a snapshot what it is, or why it isn't known",
    run: async (bench) => {
      checkSnapshot(await snapshotOf(bench));
    },
  },
  {
    title: "shows the default SMTP certificate among the certificates of an ordinary server",
    run: async (bench) => {
      const snapshot = await snapshotOf(bench);
      const thumbprint = defaultSmtp(snapshot);
      assert.ok(thumbprint !== undefined && findCertificate(snapshot, thumbprint) !== undefined);
    },
  },
  {
    title: "changes nothing by reading",
    run: async (bench) => {
      const before = comparable(await snapshotOf(bench));
      assert.deepEqual(comparable(await snapshotOf(bench)), before);
    },
  },
  {
    title: "answers several readers at the same time",
    run: async (bench) => {
      const [first, ...others] = (await Promise.all([snapshotOf(bench), snapshotOf(bench), snapshotOf(bench)])).map(
        comparable,
      );
      for (const other of others) assert.deepEqual(other, first);
    },
  },
  {
    title: "calls services unknown, not none, when the server says no more than the certificate's bytes",
    needs: "servicesUnknown",
    run: async (bench) => {
      const snapshot = await snapshotOf(bench, await bench.situations.servicesUnknown());
      checkSnapshot(snapshot);
      assert.ok(snapshot.certificates.length > 0, "the certificates themselves are known");
      for (const { displayedServices, iisSites } of snapshot.certificates) {
        assert.deepEqual([displayedServices.kind, iisSites.kind], ["unknown", "unknown"]);
      }
    },
  },
  {
    title: "calls unknown what the account may not read, and reads the rest",
    needs: "partlyHidden",
    run: async (bench) => {
      const snapshot = await snapshotOf(bench, await bench.situations.partlyHidden());
      checkSnapshot(snapshot);
      assert.ok(snapshot.certificates.length > 0);
      const kinds = Object.values(snapshot).map((part: unknown) =>
        typeof part === "object" && part !== null && "kind" in part ? part.kind : undefined,
      );
      assert.ok(kinds.includes("unknown"), "nothing of the snapshot is unknown");
    },
  },
  {
    title: "shows that another server has answered",
    needs: "answersAsAnother",
    run: async (bench) => {
      const backend = await bench.situations.answersAsAnother();
      const answered = await snapshotOf(bench, backend).then(
        (snapshot) => snapshot.server,
        (error: unknown) => {
          if (isBindingError(error, "ServerMismatch")) return undefined;
          throw error;
        },
      );
      assert.notEqual(answered, bench.server);
    },
  },
];
