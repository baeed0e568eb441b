import { UM_STARTUP_MODES } from "../../../model";
import type { CmdletOutcome } from "../cmdlet";
import { completed, failed, plainError, withServer, type CmdletRun } from "../cmdletRun";
import { bindingError, UNVERIFIED_TEXTS } from "../errorTexts";
import type { ServerState, UmState } from "../organisation";

interface UmService {
  readonly key: "um" | "umCallRouter";
  readonly name: "UM" | "UMCallRouter";
}

const UM: UmService = { key: "um", name: "UM" };
const CALL_ROUTER: UmService = { key: "umCallRouter", name: "UMCallRouter" };

/** Get-UMService and Get-UMCallRouterSettings: of one server, or of all that have the service. */
function getService(run: CmdletRun, { key }: UmService): CmdletOutcome {
  const { organisation, target, targetNamed } = run;
  const servers = targetNamed ? [target] : Object.values(organisation.servers);
  const output = servers.flatMap((server) => {
    const state = server[key];
    return state === null ? [] : [{ Name: server.name, UMStartupMode: state.startupMode, Identity: server.name }];
  });
  return completed(organisation, output);
}

/** Set-UMService and Set-UMCallRouterSettings. A certificate that is assigned stays so, whatever the mode. */
function setService(run: CmdletRun, service: UmService): CmdletOutcome {
  const { organisation, target, parameters } = run;
  const state: UmState | null = target[service.key];
  if (state === null) {
    return failed(
      organisation,
      plainError(run, "CmdletFailed", UNVERIFIED_TEXTS.umNotOnThisVersion(service.name, target.name)),
    );
  }
  const given = parameters.text("UMStartupMode") ?? undefined;
  if (given === undefined) return completed(organisation);
  const startupMode = UM_STARTUP_MODES.find((mode) => mode.toLowerCase() === given.toLowerCase());
  if (startupMode === undefined) {
    const message = UNVERIFIED_TEXTS.valueRefused("UMStartupMode", `it is one of ${UM_STARTUP_MODES.join(", ")}`);
    return failed(organisation, bindingError(run.definition.name, "ParameterArgumentTransformationError", message));
  }
  if (startupMode === state.startupMode) return completed(organisation);
  const server: ServerState = { ...target, [service.key]: { ...state, startupMode } };
  return completed(withServer(organisation, server), [], [UNVERIFIED_TEXTS.restartUm(service.name, target.name)]);
}

export const getUmService = (run: CmdletRun) => getService(run, UM);
export const setUmService = (run: CmdletRun) => setService(run, UM);
export const getUmCallRouterSettings = (run: CmdletRun) => getService(run, CALL_ROUTER);
export const setUmCallRouterSettings = (run: CmdletRun) => setService(run, CALL_ROUTER);
