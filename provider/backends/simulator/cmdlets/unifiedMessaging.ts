import { UM_STARTUP_MODES, type UmService } from "../../../model";
import type { CmdletOutcome } from "../cmdlet";
import { completed, failed, plainError, withServer, type CmdletRun } from "../cmdletRun";
import { bindingError, UNVERIFIED_TEXTS } from "../errorTexts";
import type { ServerState, UmState } from "../organisation";

/** Where the organisation keeps their state. */
const KEYS = { UM: "um", UMCallRouter: "umCallRouter" } as const satisfies Record<UmService, keyof ServerState>;

/** Get-UMService and Get-UMCallRouterSettings: of one server, or of all that have the service. */
function getService(run: CmdletRun, service: UmService): CmdletOutcome {
  const { organisation, target, targetNamed } = run;
  const servers = targetNamed ? [target] : Object.values(organisation.servers);
  const output = servers.flatMap((server) => {
    const state = server[KEYS[service]];
    return state === null ? [] : [{ Name: server.name, UMStartupMode: state.startupMode, Identity: server.name }];
  });
  return completed(organisation, output);
}

/** Set-UMService and Set-UMCallRouterSettings. A certificate that is assigned stays so, whatever the mode. */
function setService(run: CmdletRun, service: UmService): CmdletOutcome {
  const { organisation, target, parameters } = run;
  const state: UmState | null = target[KEYS[service]];
  if (state === null) {
    return failed(
      organisation,
      plainError(run, "CmdletFailed", UNVERIFIED_TEXTS.umNotOnThisVersion(service, target.name)),
    );
  }
  const given = parameters.text("UMStartupMode") ?? undefined;
  if (given === undefined) return completed(organisation);
  const startupMode = UM_STARTUP_MODES.find((mode) => mode.toLowerCase() === given.toLowerCase());
  if (startupMode === undefined) {
    const message = UNVERIFIED_TEXTS.valueRefused("UMStartupMode", `it is one of ${UM_STARTUP_MODES.join(", ")}`);
    return failed(organisation, bindingError(run.cmdlet, "ParameterArgumentTransformationError", message));
  }
  if (startupMode === state.startupMode) return completed(organisation);
  const server: ServerState = { ...target, [KEYS[service]]: { ...state, startupMode } };
  return completed(withServer(organisation, server), [], [UNVERIFIED_TEXTS.restartUm(service, target.name)]);
}

export const getUmService = (run: CmdletRun) => getService(run, "UM");
export const setUmService = (run: CmdletRun) => setService(run, "UM");
export const getUmCallRouterSettings = (run: CmdletRun) => getService(run, "UMCallRouter");
export const setUmCallRouterSettings = (run: CmdletRun) => setService(run, "UMCallRouter");
