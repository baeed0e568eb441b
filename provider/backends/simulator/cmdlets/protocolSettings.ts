import type { CmdletOutcome } from "../cmdlet";
import { completed, withServer, type CmdletRun } from "../cmdletRun";
import { countRead, shownValue, writeCertificateName } from "../directoryDelay";
import { UNVERIFIED_TEXTS } from "../errorTexts";

interface Protocol {
  readonly key: "imap" | "pop";
  readonly attribute: "imapCertificateName" | "popCertificateName";
  readonly name: "IMAP4" | "POP3";
}

const IMAP: Protocol = { key: "imap", attribute: "imapCertificateName", name: "IMAP4" };
const POP: Protocol = { key: "pop", attribute: "popCertificateName", name: "POP3" };

/** Get-ImapSettings and Get-PopSettings: one object, the settings of the server. */
function getSettings({ organisation, target, context }: CmdletRun, { attribute, name }: Protocol): CmdletOutcome {
  const output = {
    ProtocolName: name,
    Name: "1",
    Server: target.name,
    X509CertificateName: shownValue(target, attribute, context.now),
    Identity: `${target.name}\\1`,
  };
  return completed(withServer(organisation, countRead(target, attribute, context.now)), [output]);
}

/** Set-ImapSettings and Set-PopSettings. Any name is taken, whether a certificate has it or not; `$null` or "" clears. */
function setSettings({ organisation, target, parameters, context }: CmdletRun, { key, name }: Protocol): CmdletOutcome {
  const wanted = parameters.text("X509CertificateName");
  if (wanted === undefined) return completed(organisation);
  const server = writeCertificateName(target, key, wanted === "" ? null : wanted, context.now);
  if (server === target) return completed(organisation);
  return completed(withServer(organisation, server), [], [UNVERIFIED_TEXTS.restartProtocol(name, target.name)]);
}

export const getImapSettings = (run: CmdletRun) => getSettings(run, IMAP);
export const setImapSettings = (run: CmdletRun) => setSettings(run, IMAP);
export const getPopSettings = (run: CmdletRun) => getSettings(run, POP);
export const setPopSettings = (run: CmdletRun) => setSettings(run, POP);
