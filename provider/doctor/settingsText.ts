import type { UsableSettings } from "./finding";
import { type Texts, told } from "./texts";

const WHERE_FROM = "Settings come from options and from EXCHANGE_*: exchange-certificates --help";

export const SETTINGS_TEXTS: Texts<"settingsUsable" | "settingsUnusable" | "backendIsSimulator" | "backendIsAdapter"> =
  {
    settingsUsable: (settings) => told(describeSettings(settings)),
    settingsUnusable: ({ problem }) => told(problem, WHERE_FROM),
    backendIsSimulator: () =>
      told(
        'EXCHANGE_BACKEND is "simulator": there are no real servers to look at. "exchange-simulator show" tells about the ' +
          'simulated ones; to look at one over the wire, run "exchange-simulator serve" and set EXCHANGE_BACKEND to "remote".',
        WHERE_FROM,
      ),
    backendIsAdapter: () =>
      told(
        'EXCHANGE_BACKEND names an adapter, whose way to its servers isn\'t known here. Unset it, or set it to "remote".',
        WHERE_FROM,
      ),
  };

function describeSettings(settings: UsableSettings): string {
  const { authentication, username, hasPassword, endpoint, tlsServerName, caFile, ticketCache, platform } = settings;
  const cache = ticketCache === undefined || hasPassword ? "" : `, ticket cache ${ticketCache}`;
  const who =
    authentication === "basic"
      ? `Basic as ${username ?? ""}`
      : `Kerberos as ${username ?? whoeverWeAre(platform)}` + (hasPassword ? ", with a password" : cache);
  return [
    who,
    // A query may hold anything.
    endpoint.split("?", 1)[0],
    ...(tlsServerName === undefined ? [] : [`expecting ${tlsServerName}`]),
    ...(caFile === undefined ? [] : [`trusting ${caFile}`]),
  ].join(", ");
}

function whoeverWeAre(platform: string): string {
  return platform === "win32" ? "the account that is logged on" : "whoever the tickets or the keytab belong to";
}
