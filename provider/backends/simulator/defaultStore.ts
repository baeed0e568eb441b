import { randomBytes } from "node:crypto";
import { makeDefaultOrganisation } from "./defaultOrganisation";
import { openStateFile, type StateStore } from "./stateFile";

/** The organisation in a file, with the default one made when there is no file yet; `made` hears of it then. */
export function openDefaultStore(path: string, made: () => void): StateStore {
  return openStateFile(path, {
    makeOrganisation: () => makeDefaultOrganisation({ now: new Date(), randomBytes }),
    made,
  });
}
