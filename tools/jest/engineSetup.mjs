import { prepareCli, prepareModules } from "./prepare.mjs";

// Jest asks for a default export.
export default async function prepareEngine() {
  await prepareCli();
  await prepareModules();
}
