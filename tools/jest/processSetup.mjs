import { prepareModules } from "./prepare.mjs";

// Jest asks for a default export.
export default prepareModules;
