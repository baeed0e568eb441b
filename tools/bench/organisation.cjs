"use strict";

/** Many simulated servers and some certificates for them, from what `lib/` makes for one. */

const { randomBytes } = require("node:crypto");
const path = require("node:path");

const root = path.resolve(__dirname, "../..");
/** What is in lib/, whose place tsc doesn't need to know. */
const built = (/** @type {string} */ file) => require(path.join(root, "lib", file));

/**
 * The first server of the simulator's default organisation, as many times as wanted: ex001.contoso.com and so on.
 *
 * @param {number} count
 * @param {{ slowMilliseconds?: number }} [faults] What every server does wrong.
 * @returns {Promise<{ names: string[], text: string }>} The servers' names and the simulator's file.
 */
async function manyServers(count, faults = {}) {
  const organisation = await built("backends/simulator/defaultOrganisation.js").makeDefaultOrganisation({
    now: new Date(),
    randomBytes,
  });
  const [template] = Object.values(organisation.servers);
  const servers = Array.from({ length: count }, (_, index) => {
    const name = `EX${String(index + 1).padStart(3, "0")}`;
    // The names in the certificates stay those of the first server: nothing looks at them here.
    return { ...template, name, fqdn: `${name.toLowerCase()}.contoso.com`, faults };
  });
  const file = {
    ...organisation,
    servers: Object.fromEntries(servers.map((server) => [server.fqdn, server])),
    sendConnectors: [],
  };
  return { names: servers.map(({ fqdn }) => fqdn), text: JSON.stringify(file) };
}

/**
 * PFX files with certificates of their own.
 *
 * @param {number} count
 * @param {string} password
 * @returns {Promise<Record<string, Uint8Array>>} By file name.
 */
async function manyCertificates(count, password) {
  const { makeSelfSigned } = built("certificate/selfSigned.js");
  const { packPfx } = built("certificate/packPfx.js");
  const { Secret } = built("secret.js");
  /** @type {Record<string, Uint8Array>} */
  const files = {};
  for (let index = 0; index < count; index += 1) {
    const name = `mail${String(index)}.contoso.com`;
    const wish = { subject: `CN=${name}`, dnsNames: [name], validityDays: 90, keySize: 2048 };
    const material = await makeSelfSigned(wish, { now: new Date(), randomBytes });
    files[`certificate-${String(index)}.pfx`] = packPfx(material, new Secret(password)).reveal();
  }
  return files;
}

module.exports = { manyServers, manyCertificates };
