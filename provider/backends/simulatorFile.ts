/** Name of the simulator's file in the program's directory when nothing names another. */
export const DEFAULT_SIMULATOR_FILE = ".exchange-simulator.json";
