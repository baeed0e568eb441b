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
  return JSON.stringify(
    makeSchema({
      version: require("../../package.json").version,
      defaults: part("inputs.js").INPUT_DEFAULTS,
      isSecret: part("sourceKeys.js").isSecretKey,
      settings: part("config.js").SETTING_KEYS.map((/** @type {{ key: string }} */ { key }) => key),
    }),
  );
}

module.exports = { schemaFromBuild };
