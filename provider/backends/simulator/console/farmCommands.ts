import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { CommandLineIo } from "../../../console/io";
import { UsageMistake } from "../../../console/usageMistake";
import { parseThumbprint } from "../../../certificate/thumbprint";
import { messageOf } from "../../../errors";
import { parseServerFqdn } from "../../../model";
import { cleaned } from "../../../sentence";
import { tlsCertificateNameOf } from "../../connectorName";
import { addCertificate, findCertificate } from "../certificateStore";
import { withServer } from "../cmdletRun";
import { makeServer, type DefaultOrganisationEnv, SERVER_KINDS, type ServerKind } from "../defaultOrganisation";
import { factsOf, looksLikeDer } from "../derFacts";
import type { Organisation, ServerState } from "../organisation";
import type { StateStore } from "../stateFile";

/*
 * What makes a farm of servers without editing its file. Exchange has no such cmdlets: these are setup, and whoever puts
 * certificates into stores and names into connectors.
 */

/** What a command needs. */
export interface FarmCommand {
  readonly words: readonly string[];
  readonly store: StateStore;
  readonly io: CommandLineIo;
}

/** `add-server <fqdn> [2013|2016|2019|SE]`. */
export async function addServerCommand({ words, store, io }: FarmCommand, env: DefaultOrganisationEnv): Promise<0> {
  const [name = "", kindText = "2019", ...more] = words;
  const fqdn = parseServerFqdn(name);
  const kind = (Object.keys(SERVER_KINDS) as ServerKind[]).find((one) => one.toLowerCase() === kindText.toLowerCase());
  if (fqdn === undefined || kind === undefined || more.length > 0) {
    throw new UsageMistake("Which server? exchange-simulator add-server ex03.contoso.com [2013|2016|2019|SE]");
  }
  const organisation = await store.read();
  refuseTaken(organisation, fqdn);
  // Keys are made while nothing is locked.
  const server = await makeServer({ fqdn, kind, organisation }, env);
  await store.update((before) => {
    refuseTaken(before, fqdn);
    return { organisation: withServer(before, server), result: undefined };
  });
  io.out(`Added ${fqdn} (${server.name}), Exchange ${kind}, as setup leaves it.`);
  return 0;
}

function refuseTaken({ servers }: Organisation, fqdn: string): void {
  const short = fqdn.split(".", 1)[0] ?? "";
  const taken = Object.values(servers).find((one) => one.fqdn === fqdn || one.name.toLowerCase() === short);
  if (taken !== undefined) {
    throw new UsageMistake(
      `There is a server ${taken.fqdn} (${cleaned(taken.name)}) already; names and short names are there once.`,
    );
  }
}

/** `add-certificate <server> <file>`: a certificate in PEM or DER, whose key is said to be on the server. */
export async function addCertificateCommand({ words, store, io }: FarmCommand): Promise<0> {
  const [name, file, ...more] = words;
  if (name === undefined || file === undefined || more.length > 0) {
    throw new UsageMistake(
      "Which certificate, and where? exchange-simulator add-certificate ex01 mail.cer (PEM or DER). A PFX is imported with " +
        "Import-ExchangeCertificate.",
    );
  }
  const path = resolve(io.workingDirectory, file);
  const der = derOf(
    await readFile(path).catch((error: unknown) => {
      throw new UsageMistake(`The certificate ${path} can't be read: ${messageOf(error)}`, { cause: error });
    }),
  );
  if (der === undefined) {
    throw new UsageMistake(
      `${path} is no certificate in PEM or DER. A PFX is imported with: exchange-simulator Import-ExchangeCertificate`,
    );
  }
  const { thumbprint } = factsOf(der);
  const fqdn = await store.update((before) => {
    const server = serverNamed(before, name);
    if (findCertificate(server, thumbprint) !== undefined) {
      throw new UsageMistake(`${server.fqdn} has certificate ${thumbprint} already.`);
    }
    const after = addCertificate(server, {
      der,
      friendlyName: "",
      privateKey: { present: true, exportable: false, provider: "CSP", networkServiceRead: false },
      rootStore: "trusted",
    });
    return { organisation: withServer(before, after), result: server.fqdn };
  });
  io.out(`Added certificate ${thumbprint} to ${fqdn}. Its key is taken to be there; nobody can read it.`);
  return 0;
}

/** The first certificate of a PEM text, or the bytes themselves; base64. */
function derOf(bytes: Buffer): string | undefined {
  const pem = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/.exec(bytes.toString("latin1"));
  const base64 = pem?.[1] === undefined ? bytes.toString("base64") : pem[1].replace(/\s+/g, "");
  // A PFX begins with a version number, a certificate with the sequence that is signed.
  const isSequenceOfSequence = /^30(?:8[1-3](?:..){1,3}|..)30/.test(
    Buffer.from(base64, "base64").subarray(0, 8).toString("hex"),
  );
  return looksLikeDer(base64) && isSequenceOfSequence ? base64 : undefined;
}

/**
 * `connector <server>|send <name> [<certificate>|off]`: a receive connector of the server, or a send connector of all of
 * them, made when there is none of that name. The certificate is a thumbprint of a certificate that is there, or
 * `<I>issuer<S>subject`.
 */
export async function connectorCommand({ words, store, io }: FarmCommand): Promise<0> {
  const [where, name, certificate, ...more] = words;
  if (where === undefined || name === undefined || name.trim() === "" || more.length > 0) {
    throw new UsageMistake(
      'Which connector? exchange-simulator connector ex01 "Partner EX01" [<thumbprint>|"<I>issuer<S>subject"|off]; ' +
        "send in place of the server is a send connector of all servers.",
    );
  }
  const message = await store.update((before) => {
    const isSend = where.toLowerCase() === "send";
    const server = isSend ? undefined : serverNamed(before, where);
    const wanted = tlsNameOf(before, server, certificate);
    const set = <C extends { readonly name: string; readonly tlsCertificateName: string | null }>(
      connectors: readonly C[],
      make: () => C,
    ): readonly C[] => {
      const known = connectors.find((one) => one.name.toLowerCase() === name.toLowerCase());
      const changed = { ...(known ?? make()), ...(wanted === undefined ? {} : { tlsCertificateName: wanted }) };
      return known === undefined ? [...connectors, changed] : connectors.map((one) => (one === known ? changed : one));
    };
    const shown = wanted === undefined ? "" : `, certificate name ${wanted === null ? "empty" : cleaned(wanted)}`;
    if (server === undefined) {
      const sourceServers = Object.values(before.servers).map((one) => one.name);
      const sendConnectors = set(before.sendConnectors, () => ({
        name,
        fqdn: null,
        tlsCertificateName: null,
        sourceServers,
      }));
      return { organisation: { ...before, sendConnectors }, result: `Send connector ${cleaned(name)}${shown}.` };
    }
    const receiveConnectors = set(server.receiveConnectors, () => ({
      name,
      fqdn: server.fqdn,
      tlsCertificateName: null,
    }));
    return {
      organisation: withServer(before, { ...server, receiveConnectors }),
      result: `Receive connector ${cleaned(`${server.name}\\${name}`)}${shown}.`,
    };
  });
  io.out(message);
  return 0;
}

/** `undefined`: nothing was said about it. */
function tlsNameOf(
  organisation: Organisation,
  server: ServerState | undefined,
  text: string | undefined,
): string | null | undefined {
  if (text === undefined) return undefined;
  if (/^off$/i.test(text)) return null;
  if (/^<I>.+<S>.+$/s.test(text)) return text;
  const thumbprint = parseThumbprint(text);
  const servers = server === undefined ? Object.values(organisation.servers) : [server];
  const found = thumbprint && servers.map((one) => findCertificate(one, thumbprint)).find((one) => one !== undefined);
  if (found !== undefined && found.facts.isUnreadable !== true) {
    return tlsCertificateNameOf(found.facts);
  }
  throw new UsageMistake(
    "The certificate of a connector is the thumbprint of one that is there, or <I>issuer<S>subject in quotes, or off.",
  );
}

function serverNamed({ servers }: Organisation, text: string): ServerState {
  const wanted = text.toLowerCase();
  const found = Object.values(servers).find(({ fqdn, name }) => fqdn === wanted || name.toLowerCase() === wanted);
  if (found !== undefined) return found;
  throw new UsageMistake(
    `There is no server "${cleaned(text, 80)}". The organisation has: ${Object.keys(servers).join(", ")}`,
  );
}
