import { existsSync } from "node:fs";
import type { Backend } from "../backends/backend";
import { chooseBackend, openBackend, type BackendSettings } from "../backends/openBackend";
import { simulatorFile } from "../backends/simulatorFile";
import {
  parseRemoteSettings,
  type ReadRemoteSetting,
  REMOTE_KEYS,
  type RemoteSettings,
} from "../backends/remote/settings";
import { readServers } from "../config";
import type { CommandLineIo } from "../console/io";
import { kindAndLength } from "../console/misplaced";
import { readPassword } from "../console/password";
import { programDirectory } from "../console/programDirectory";
import { UsageMistake } from "../console/usageMistake";
import { isBindingError } from "../errors";
import type { ServerFqdn } from "../model";
import { cleanedMessage } from "../sentence";
import { configurationInvalid, settingRefused } from "../setting";
import type { CommonOptions, BackendOptions } from "./options";

/** The servers that are meant: the options', else those of `EXCHANGE_SERVERS`. Throws {@link UsageMistake}. */
export function serversOf(
  command: "doctor" | "inventory" | "generate",
  { servers }: CommonOptions,
  { environment }: CommandLineIo,
): readonly ServerFqdn[] {
  if (servers.length > 0) return servers;
  const value = environment["EXCHANGE_SERVERS"]?.trim();
  try {
    const named = readServers(value === undefined || value === "" ? undefined : { value, from: "EXCHANGE_SERVERS" });
    if (named.length > 0) return named;
  } catch (error) {
    if (!isBindingError(error, "ConfigurationInvalid")) throw error;
    // What it holds isn't repeated: it needn't be names.
    const held = kindAndLength(value ?? "");
    throw new UsageMistake(
      `EXCHANGE_SERVERS holds something else than names (${held}). Write names like ex01.contoso.com, with commas between them.`,
      { cause: error },
    );
  }
  throw new UsageMistake(
    `Name a server: exchange-certificates ${command} --server ex01.contoso.com, or EXCHANGE_SERVERS.`,
  );
}

/** What a value of each setting looks like. One that doesn't is misplaced, and isn't repeated. */
const SHAPES: Readonly<Record<keyof typeof REMOTE_KEYS, { readonly form: RegExp; readonly takes: string }>> = {
  endpoint: { form: /^\S{1,2000}$/, takes: "a URL" },
  authentication: { form: /^(?:kerberos|basic)$/i, takes: "kerberos or basic" },
  username: { form: /^[^\r\n]{1,256}$/, takes: "a name like user@contoso.com" },
  // It may be anything; nobody ever repeats it.
  password: { form: /^[^]*$/, takes: "a password" },
  tlsServerName: { form: /^[a-z0-9.:-]{1,255}$/i, takes: "a host name" },
  caFile: { form: /^[^\r\n]{1,1000}$/, takes: "the path of a PEM file" },
  maxConnectionsPerServer: { form: /^\d{1,6}$/, takes: "a whole number from 1 to 10" },
  operationTimeoutSeconds: { form: /^\d{1,6}$/, takes: "a whole number from 1 to 600" },
  dangerouslySkipTlsVerification: { form: /^(?:true|false|0|1)$/i, takes: "true or false" },
};

/**
 * The settings of the way to real servers: options first, then the environment, then the terminal for the password.
 * Throws `ConfigurationInvalid`, and {@link UsageMistake} about the password.
 */
export async function remoteSettingsOf(options: CommonOptions, io: CommandLineIo): Promise<RemoteSettings> {
  const isSaidWhere = options.passwordEnv !== undefined || options.passwordStdin;
  const given = isSaidWhere ? await readPassword("the account", NOTHING_ASKED, options, io) : undefined;
  const written: ReadRemoteSetting = (name) => {
    if (name === "password" && given !== undefined) {
      return { value: given.reveal(), from: options.passwordStdin ? "--password-stdin" : "--password-env" };
    }
    const option = options.settings.get(name);
    if (option !== undefined) return option;
    const { environment: from } = REMOTE_KEYS[name];
    const value = io.environment[from];
    return value === undefined || value.trim() === "" ? undefined : { value, from };
  };
  const read: ReadRemoteSetting = (name) => {
    const setting = written(name);
    if (setting === undefined) return undefined;
    const { form, takes } = SHAPES[name];
    if (form.test(setting.value.trim())) return setting;
    throw settingRefused(`${setting.from} takes ${takes}, and holds something else (${kindAndLength(setting.value)}).`);
  };
  const settings = parseRemoteSettings(read, io.workingDirectory);
  const { authentication, username } = settings;
  if (authentication !== "basic" || username === undefined || settings.password !== undefined) return settings;
  const password = await readPassword(username, NOTHING_ASKED, options, io);
  return { ...settings, password };
}

/**
 * The backend that an inventory is read through: `--backend`, else `EXCHANGE_BACKEND`, else real servers, because a
 * reading changes nothing. Throws `ConfigurationInvalid`, and {@link UsageMistake} about the password.
 */
export async function openChosenBackend(options: BackendOptions, io: CommandLineIo): Promise<Backend> {
  const named = options.backend ?? io.environment["EXCHANGE_BACKEND"]?.trim();
  const choice = named === undefined || named === "" ? "remote" : named;
  const settings: BackendSettings =
    choice.toLowerCase() === "remote"
      ? { kind: "remote", ...(await remoteSettingsOf(options, io)) }
      : chooseBackend(choice, {
          simulatorFile: simulatorFile(options.simulatorFile, io),
          remote: () => {
            throw configurationInvalid("The settings of real servers are read elsewhere.");
          },
        });
  if (settings.kind === "simulator" && !existsSync(settings.file)) {
    // Whoever reads doesn't make one.
    throw configurationInvalid(
      `There is no simulated organisation in ${settings.file}. Make one with exchange-simulator init, or name another file ` +
        "with --simulator-file or EXCHANGE_SIMULATOR_FILE.",
    );
  }
  const say = (line: string): void => {
    io.error(cleanedMessage(line));
  };
  return openBackend(settings, {
    programDirectory: programDirectory(io.workingDirectory),
    say,
    ...(io.environment["EXCHANGE_TRACE"] === "1" ? { trace: io.error } : {}),
  });
}

const NOTHING_ASKED = "nothing was asked of any server";
