import { removeModules } from "./prepare.mjs";

// Jest asks for a default export.
export default removeModules;
