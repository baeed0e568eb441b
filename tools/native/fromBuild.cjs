"use strict";

const path = require("node:path");
const { makeSchema } = require("./schema.cjs");

/**
 * The schema, with what stands in code taken from a build.
 *
 * @param {string} lib
 * @returns {string} JSON.
 */
function schemaFromBuild(lib) {
  const part = (/** @type {string} */ name) => require(path.join(lib, name));
  /** @type {{ version: string, repository?: string | { url: string } }} */
  const about = require("../../package.json");
  const { version, repository } = about;
  const address = typeof repository === "object" ? repository.url : repository;
  return JSON.stringify(
    makeSchema({
      version,
      ...(address === undefined ? {} : { repository: address }),
      defaults: part("inputs.js").INPUT_DEFAULTS,
      isSecret: part("sourceKeys.js").isSecretKey,
      settings: part("config.js").SETTING_KEYS.map((/** @type {{ key: string }} */ { key }) => key),
    }),
  );
}

module.exports = { schemaFromBuild };
