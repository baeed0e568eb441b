import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { BlockList, isIP } from "node:net";
import { dirname, join, resolve } from "node:path";
import { messageOf } from "../../../errors";
import { Secret } from "../../../secret";
import type * as EndpointModule from "../endpoint/endpoint";
import type { EndpointBehaviour } from "../endpoint/behaviour";
import type * as TlsCertificateModule from "../endpoint/tlsCertificate";
import type { Organisation } from "../organisation";
import type { StateStore } from "../stateFile";
import type { CommandLineIo } from "../../../console/io";
import type { Options, ServeOption } from "./options";
import { readPassword } from "../../../console/password";
import { readRequestFaults, REQUEST_FAULTS } from "./requestFaults";
import { UsageMistake } from "../../../console/usageMistake";

const TLS_PORT = 8443;
const HTTP_PORT = 8080;
const CA_FILE = "exchange-simulator-ca.pem";

/** `exchange-simulator serve`: runs until it is interrupted. Throws {@link UsageMistake}. */
export async function serveCommand(
  options: Options,
  file: string,
  store: StateStore,
  io: CommandLineIo,
): Promise<0 | 1> {
  const { serve } = options;
  const host = serve.get("host") ?? "127.0.0.1";
  const isTls = serve.has("tls");
  checkTransport(serve, host, isTls);
  const port = numberOf(serve, "port", 65_535) ?? (isTls ? TLS_PORT : HTTP_PORT);
  const behaviour = behaviourOf(serve);
  const faults = readRequestFaults(serve.get("fail") ?? "");
  if (serve.has("fail") && faults === undefined) {
    throw new UsageMistake(
      `--fail is a list such as throttled@Receive+1x3,responseCut=100; the faults are: ${REQUEST_FAULTS.join(", ")}.`,
    );
  }
  const name = serve.get("user");
  if (name === undefined) throw new UsageMistake("Who may come? Give --user <name>.");
  const password = await readPassword(name, "nobody could come", options, io);
  if (password === undefined) throw new UsageMistake("Give the password with --password-env NAME or --password-stdin.");

  const organisation = await store.read();
  const tls = isTls ? await identityOf(serve, host, { file, organisation, io }) : undefined;
  const server = serve.get("server");
  // Loaded here, so that no other command waits for the protocols.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { startEndpoint } = require("../endpoint/endpoint") as typeof EndpointModule;
  let endpoint: EndpointModule.Endpoint;
  try {
    endpoint = await startEndpoint({
      store,
      host,
      port,
      user: { name, password },
      behaviour,
      ...(tls === undefined ? {} : { tls: { ...tls, followsIis: serve.has("follow-iis") } }),
      ...(server === undefined ? {} : { server }),
    });
  } catch (error) {
    io.error(`The endpoint can't listen on ${host}, port ${port}: ${messageOf(error)}`);
    return 1;
  }
  for (const fault of faults ?? []) endpoint.inject(fault);
  io.error(`Serving the simulated organisation in ${file}; no Exchange server is touched. Ctrl-C ends it.`);
  io.out(endpoint.url);
  await io.interrupted();
  await endpoint.close();
  return 0;
}

function checkTransport(serve: Options["serve"], host: string, isTls: boolean): void {
  if (isTls && serve.has("basic-over-http")) throw new UsageMistake("--tls and --basic-over-http exclude each other.");
  const [stray] = isTls ? [] : (["cert", "key", "ca-file", "follow-iis"] as const).filter((name) => serve.has(name));
  if (stray !== undefined) throw new UsageMistake(`--${stray} goes with --tls.`);
  if (isTls) return;
  if (!serve.has("basic-over-http")) {
    throw new UsageMistake(
      "Give --tls; or, for tests on this machine, --basic-over-http, with which the password travels in the clear.",
    );
  }
  if (!isLoopback(host)) {
    throw new UsageMistake(`Without --tls the endpoint listens on this machine only, not on ${host}.`);
  }
}

function isLoopback(host: string): boolean {
  const loopback = new BlockList();
  loopback.addSubnet("127.0.0.0", 8, "ipv4");
  loopback.addAddress("::1", "ipv6");
  const version = isIP(host);
  return version === 0 ? host.toLowerCase() === "localhost" : loopback.check(host, version === 6 ? "ipv6" : "ipv4");
}

function numberOf(serve: Options["serve"], name: ServeOption, most: number): number | undefined {
  const text = serve.get(name);
  if (text === undefined) return undefined;
  if (/^\d{1,6}$/.test(text) && Number(text) <= most) return Number(text);
  throw new UsageMistake(`--${name} is a whole number up to ${most}, not "${text}".`);
}

function oneOf<Value extends string>(
  serve: Options["serve"],
  name: ServeOption,
  values: readonly Value[],
): Value | undefined {
  const text = serve.get(name);
  if (text === undefined) return undefined;
  const found = values.find((value) => value.toLowerCase() === text.toLowerCase());
  if (found !== undefined) return found;
  throw new UsageMistake(`--${name} is ${values.slice(0, -1).join(", ")} or ${values.at(-1) ?? ""}, not "${text}".`);
}

function behaviourOf(serve: Options["serve"]): Partial<EndpointBehaviour> {
  const given = {
    projection: oneOf(serve, "projection", ["allowed", "refused", "absent"]),
    cookie: oneOf(serve, "cookie", ["demanded", "set", "none"]),
    signing: oneOf(serve, "signing", ["byVersion", "none", "valid", "invalid"]),
    maxShellsPerUser: numberOf(serve, "max-shells", 100_000),
    idleTimeoutSeconds: numberOf(serve, "idle-timeout", 100_000),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

type Identity = NonNullable<EndpointModule.EndpointOptions["tls"]>;

/** The certificate that was given, or one made on the spot, whose authority is written to a file. */
async function identityOf(
  serve: Options["serve"],
  host: string,
  {
    file,
    organisation,
    io,
  }: { readonly file: string; readonly organisation: Organisation; readonly io: CommandLineIo },
): Promise<Identity> {
  const [cert, key] = [serve.get("cert"), serve.get("key")];
  if (cert !== undefined && key !== undefined) {
    const certificate = await readPem("certificate", cert, io);
    return { certificate, privateKey: new Secret(await readPem("private key", key, io)) };
  }
  if (cert !== undefined || key !== undefined) throw new UsageMistake("Give both --cert and --key, or neither.");
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- as above
  const { makeEndpointCertificate } = require("../endpoint/tlsCertificate") as typeof TlsCertificateModule;
  const names = new Set([...Object.keys(organisation.servers), "localhost", "127.0.0.1", "::1", host]);
  const made = makeEndpointCertificate([...names], { now: new Date(), randomBytes });
  const given = serve.get("ca-file");
  const caFile = given === undefined ? join(dirname(file), CA_FILE) : resolve(io.workingDirectory, given);
  try {
    await writeFile(caFile, made.authority);
  } catch (error) {
    throw new UsageMistake(`The authority's certificate can't be written to ${caFile}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  io.error(`The certificate was made on the spot; its authority, for clients to trust, is in ${caFile}.`);
  return made;
}

async function readPem(what: string, path: string, io: CommandLineIo): Promise<string> {
  const full = resolve(io.workingDirectory, path);
  try {
    return await readFile(full, "utf8");
  } catch (error) {
    throw new UsageMistake(`The ${what} ${full} can't be read: ${messageOf(error)}`, { cause: error });
  }
}
