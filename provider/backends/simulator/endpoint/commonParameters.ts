/** A parameter that PowerShell itself adds to cmdlets. */
export interface CommonParameter {
  readonly name: string;
  readonly alias: string;
  /** .NET's name of its type. */
  readonly type: string;
}

export const SWITCH = "System.Management.Automation.SwitchParameter";
const PREFERENCE = "System.Management.Automation.ActionPreference";
const TEXT = "System.String";

const common = (name: string, alias: string, type: string): CommonParameter => ({ name, alias, type });

/**
 * What Windows PowerShell 5.1, on which Exchange runs, adds to every cmdlet, in its order. (-ProgressAction came with
 * PowerShell 7.4.)
 */
export const COMMON_PARAMETERS: readonly CommonParameter[] = [
  common("Verbose", "vb", SWITCH),
  common("Debug", "db", SWITCH),
  common("ErrorAction", "ea", PREFERENCE),
  common("WarningAction", "wa", PREFERENCE),
  common("InformationAction", "infa", PREFERENCE),
  common("ErrorVariable", "ev", TEXT),
  common("WarningVariable", "wv", TEXT),
  common("InformationVariable", "iv", TEXT),
  common("OutVariable", "ov", TEXT),
  common("OutBuffer", "ob", "System.Int32"),
  common("PipelineVariable", "pv", TEXT),
];

/** And to those that change something. */
export const SHOULD_PROCESS_PARAMETERS: readonly CommonParameter[] = [
  common("WhatIf", "wi", SWITCH),
  common("Confirm", "cf", SWITCH),
];

const byName = new Map(
  [...COMMON_PARAMETERS, ...SHOULD_PROCESS_PARAMETERS].map((one) => [one.name.toLowerCase(), one]),
);
const byAlias = new Map([...byName.values()].map((one) => [one.alias, one]));

/** The one of that name, in any case. */
export function commonParameter(name: string): CommonParameter | undefined {
  return byName.get(name.toLowerCase());
}

/** The one of that alias, in any case. */
export function commonParameterOfAlias(alias: string): CommonParameter | undefined {
  return byAlias.get(alias.toLowerCase());
}
